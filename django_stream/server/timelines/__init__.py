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


def built(value: str) -> Timelines:
    """The store that a value of the setting names; ImportError or ValueError say what is wrong with it."""
    if "://" in value:
        from django_stream.server.timelines.clustered.store import ClusteredTimelines

        return ClusteredTimelines(value)
    store = import_string(value)()
    if not isinstance(store, Timelines):
        raise ValueError(f"{value} is no timeline store")
    return store


_built = lru_cache(maxsize=4)(built)


def _forget(*, setting: str, **_: object) -> None:
    if setting == f"{PREFIX}TIMELINES":
        _built.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_stream.server.timelines")

__all__ = ["ActivityGroupPage", "ActivityGroupRow", "AsOf", "Timelines", "Window", "built", "timelines"]
