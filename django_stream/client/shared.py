"""The client of a program that has one for all its parts, such as a Django site."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_stream.client.client import StreamClient

_providers: list[Callable[[], StreamClient]] = []


def provide(client: Callable[[], StreamClient]) -> None:
    """Say where `stream_client` comes from."""
    _providers[:] = [client]


class _SharedClient:
    """Stands for the client wherever it is imported, before there is one, too."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if not _providers:
            raise RuntimeError(
                "stream_client is the client of a Django site: add 'django_stream' to INSTALLED_APPS, "
                "or make one by django_stream.client.connect()"
            )
        return getattr(_providers[0](), name)

    def __repr__(self) -> str:
        return "<the client of this site>"


stream_client: StreamClient = _SharedClient()  # type: ignore[assignment]
"""The site's client, by the name that stream-django gives it."""
