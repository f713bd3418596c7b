"""The base class of models that come from stream-django: no model itself, on either side of one."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.signals import class_prepared

from django_stream.activities.inherited_managers import track_managers
from django_stream.activities.representation import ActivityProperties, what_is_said
from django_stream.publishing.outbox import saving_in_one_transaction


class Activity(ActivityProperties):
    """Rows are events: `class Tweet(models.Model, Activity)`, with the bases in either order.

    The model keeps the managers that it has, and their bulk operations are seen.
    """

    create_activity = what_is_said


# Migrations name the bases of a model that are no models, and find this one by its public name.
Activity.__module__ = "django_stream.activity"


def _prepared(sender: type[models.Model], **_: Any) -> None:
    if issubclass(sender, Activity):
        track_managers(sender)
        saving_in_one_transaction(sender)


class_prepared.connect(_prepared, dispatch_uid="django_stream.stream_django")
