"""Who is calling: an application's server, or one of its users."""

from __future__ import annotations

from dataclasses import dataclass

from django_stream.protocol import scopes


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a verified token: `user_id` is None for the application's own server."""

    application_id: int
    user_id: str | None = None
    resources: frozenset[str] = frozenset({scopes.ANY})
    actions: frozenset[str] = frozenset({scopes.ANY})
    feeds: frozenset[str] = frozenset({scopes.ANY})
    """Packed feed ids."""

    @property
    def is_server(self) -> bool:
        return self.user_id is None

    def may(self, resource: str, action: str, feeds: tuple[str, ...]) -> bool:
        """Whether a server token opens this resource, action and, if any, these packed feeds."""
        if not _covers(self.resources, resource) or not _covers(self.actions, action):
            return False
        return scopes.ANY in self.feeds or (bool(feeds) and all(feed in self.feeds for feed in feeds))


def _covers(claimed: frozenset[str], wanted: str) -> bool:
    return scopes.ANY in claimed or wanted in claimed
