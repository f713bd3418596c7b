"""A model file of a stream-django site, with its imports changed and nothing else."""

from django.conf import settings
from django.db import models

from django_stream import activity
from django_stream.feed_manager import feed_manager


class Pin(activity.Activity, models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    item = models.ForeignKey("testapp.Article", models.CASCADE)
    influencer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="influenced_pins")
    message = models.TextField(blank=True, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "testapp"

    @classmethod
    def activity_related_models(cls):
        return ["user", "item"]

    @property
    def activity_object_attr(self):
        return self

    @property
    def extra_activity_data(self):
        return {"item": activity.create_model_reference(self.item), "message": self.message}

    @property
    def activity_notify(self):
        return [feed_manager.get_notification_feed(self.influencer_id)]
