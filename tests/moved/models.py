"""The models of a site that was written for stream-django, with its imports changed and nothing else."""

from django.conf import settings
from django.db import models

from django_stream.activity import Activity, create_model_reference, create_reference
from django_stream.feed_manager import feed_manager

USER = settings.AUTH_USER_MODEL


class Alive(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(deleted=False)


class Deletable(models.Model):
    deleted = models.BooleanField(default=False)

    objects = Alive()

    class Meta:
        abstract = True


class Tweet(Deletable, Activity):
    author = models.ForeignKey(USER, models.CASCADE)
    text = models.CharField(max_length=160)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    @property
    def activity_actor_attr(self):
        return self.author

    @property
    def activity_notify(self):
        if self.parent and self.parent.author != self.author:
            return [feed_manager.get_notification_feed(self.parent.author_id)]

    @property
    def extra_activity_data(self):
        return {"parent": create_reference(self.parent), "text": self.text}


class Wall(models.Model):
    title = models.CharField(max_length=40)


class Like(models.Model, Activity):
    """Its object is a row of a model that says nothing of feeds."""

    user = models.ForeignKey(USER, models.CASCADE)
    wall = models.ForeignKey(Wall, models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)

    @property
    def activity_object_attr(self):
        return self.wall

    @classmethod
    def activity_related_models(cls):
        return ["user", "wall"]


class OldLike(models.Model, Activity):
    """A like that keeps the names which stream-django gave it."""

    user = models.ForeignKey(USER, models.CASCADE)
    wall = models.ForeignKey(Wall, models.CASCADE)
    created_at = models.DateTimeField()

    class Activity:
        identity = "stream-django"

    @property
    def activity_object_attr(self):
        return self.wall


class Run(Activity, models.Model):
    """Makes its own activity, and has a manager of its own."""

    user = models.ForeignKey(USER, models.CASCADE)
    length = models.IntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    public = models.Manager()

    @property
    def activity_verb(self):
        return "went for a run"

    def create_activity(self):
        activity = super().create_activity()
        activity["kilometres"] = self.length / 1000
        activity["owner"] = create_model_reference(self.user)
        return activity


class Walk(models.Model, Activity):
    """Rows are marked as deleted, and saved by a method without arguments."""

    user = models.ForeignKey(USER, models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Activity:
        should_publish = lambda row: row.deleted_at is None  # noqa: E731

    def save(self):
        super().save()


class Visit(models.Model, Activity):
    """Its actor is forgotten when the user is deleted."""

    user = models.ForeignKey(USER, models.SET_NULL, null=True, related_name="visits")
    host = models.ForeignKey(USER, models.CASCADE, related_name="visitors")
    created_at = models.DateTimeField(auto_now_add=True)

    @property
    def activity_notify(self):
        return [feed_manager.get_notification_feed(self.host_id)]
