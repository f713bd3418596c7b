"""The names of stream-django's `activity` module, for models that move by a change of import."""

from django.db import models

from django_stream.activities.mixins import ActivityMixin as Activity
from django_stream.activities.model_references import reference_of as create_model_reference

__all__ = ["Activity", "create_model_reference", "model_content_type"]


def model_content_type(cls: type[models.Model]) -> str:
    """The label that stands for a model in a reference."""
    return cls._meta.label
