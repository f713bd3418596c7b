"""Models of a shop; as another package would have them, without mixins and registered by calls, but one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from django_stream.models import ActivityMixin


class Product(models.Model):
    """A collection entry that can be followed."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    title = models.CharField(max_length=50)
    on_sale = models.BooleanField(default=True)


class Review(models.Model):
    """An activity, once it is approved, of which the owner of the product is told."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    product = models.ForeignKey(Product, models.CASCADE)
    approved = models.BooleanField(default=True)
    written_at = models.DateTimeField(default=timezone.now)


class Vote(models.Model):
    """A reaction to a review."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    review = models.ForeignKey(Review, models.CASCADE)
    counts = models.BooleanField(default=True)


class Alert(models.Model):
    """Two keys: a user wants to hear of a product."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    product = models.ForeignKey(Product, models.CASCADE)


class Bookmark(models.Model):
    """A key and a generic key: a user wants to hear of anything, until the row is deleted softly."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.CharField(max_length=50)
    thing = GenericForeignKey()
    deleted = models.BooleanField(default=False)


class Introduction(models.Model):
    """Two follows in one row: somebody was made acquainted with two others."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    first = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    second = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")


class Note(ActivityMixin, models.Model):
    """A letter that its recipients read, and while it is private nobody else."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    recipients: Any = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="notes")
    private = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        to = "recipients"
        to_only = "private"
