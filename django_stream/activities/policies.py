"""What the feed manager of a project decides about publishing, where it replaces methods of ours."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django_stream.conf import StreamSettings, imported, stream_settings


def feed_manager_of_settings() -> Any:
    """The one manager of this process that STREAM_FEED_MANAGER_CLASS names."""
    return _instance_of(imported(stream_settings.FEED_MANAGER_CLASS))


def manager_with_own(*methods: str) -> Any | None:
    """The project's manager when it replaces any of these methods; None leaves the decision to us."""
    own, ours = imported(stream_settings.FEED_MANAGER_CLASS), imported(StreamSettings.FEED_MANAGER_CLASS)
    if own is ours or all(getattr(own, name) is getattr(ours, name) for name in methods):
        return None
    return _instance_of(own)


@lru_cache(maxsize=8)
def _instance_of(manager: type[Any]) -> Any:
    return manager()
