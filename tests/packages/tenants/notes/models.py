"""What each tenant has for itself."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from django_stream.models import ActivityMixin


class Note(ActivityMixin, models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    text = models.CharField(max_length=50)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        extra = ("text",)
