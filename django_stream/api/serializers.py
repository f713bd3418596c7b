"""How enriched activities become JSON for the site's own front end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from rest_framework import serializers

from django_stream.activities.model_references import object_id_of

# What makes an activity, wherever it stands, and not a custom value that has a field `to`.
_PLACE = frozenset({"id", "actor", "verb", "object", "origin", "time"})
_serializers: dict[type[models.Model], type[serializers.BaseSerializer[Any]]] = {}


def register_serializer(model: type[models.Model], serializer: type[serializers.BaseSerializer[Any]]) -> None:
    """Show instances of a model by this serializer class; call it in the `ready()` of an app."""
    _serializers[model] = serializer


class InstanceSerializer(serializers.BaseSerializer[Any]):
    """The default form of a row: its model, its key and its text, and no other field."""

    def to_representation(self, instance: models.Model) -> dict[str, str]:
        return {"type": instance._meta.label, "id": object_id_of(instance), "text": str(instance)}


def instance_data(instance: models.Model, context: dict[str, Any], *, default: Any = None) -> Any:
    """A row by the serializer that is registered for its model, or else the default, or the default form."""
    serializer = _serializers.get(type(instance))
    if serializer is None and default is not None:
        return default
    return (serializer or InstanceSerializer)(instance, context=context).data


class ActivitySerializer(serializers.BaseSerializer[Any]):
    """Activities and groups: instances by their serializers, null for no target, all else as it came."""

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: self._value(value) for name, value in instance.items()}
        if not instance.keys() >= _PLACE:
            return values
        if not self._is_by_viewer(instance):
            values.pop("to", None)
        # The API says "" where an activity has none; beside objects, null is what a front end expects.
        return values | {"target": None} if instance.get("target") == "" else values

    def _is_by_viewer(self, activity: Mapping[str, Any]) -> bool:
        """Whom an activity was addressed to is shown to its author alone."""
        viewer = getattr(self.context.get("request"), "user", None)
        return viewer is not None and activity.get("actor") == viewer

    def _value(self, value: Any) -> Any:
        if isinstance(value, models.Model):
            return instance_data(value, dict(self.context))
        if isinstance(value, Mapping):
            return self.to_representation(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return value
