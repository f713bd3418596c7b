"""The names of stream-django's `activity` module, for models that move by a change of import."""

from typing import Any

from django.db import models

from django_stream.activities.model_references import reference_of as create_model_reference
from django_stream.activities.stream_django import Activity

__all__ = ["Activity", "create_model_reference", "create_reference", "model_content_type"]


def create_reference(reference: Any) -> Any:
    """The text that stands for a row; anything else as it is."""
    return create_model_reference(reference) if isinstance(reference, models.Model) else reference


def model_content_type(cls: type[models.Model]) -> str:
    """The label that stands for a model in a reference."""
    return cls._meta.label
