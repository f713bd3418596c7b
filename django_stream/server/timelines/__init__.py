"""The store of materialised timelines, chosen by a setting."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from django_stream.server.conf import PREFIX, server_settings
from django_stream.server.timelines.base import ActivityGroupPage, ActivityGroupRow, AsOf, Timelines, Window


def timelines() -> Timelines:
    """The store in force."""
    return _built(server_settings.TIMELINES)


@lru_cache(maxsize=4)
def _built(dotted_path: str) -> Timelines:
    store = import_string(dotted_path)()
    assert isinstance(store, Timelines)
    return store


def _forget(*, setting: str, **_: object) -> None:
    if setting == f"{PREFIX}TIMELINES":
        _built.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_stream.server.timelines")

__all__ = ["ActivityGroupPage", "ActivityGroupRow", "AsOf", "Timelines", "Window", "timelines"]
