"""The record of one change, and whose call made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Kind = Literal[
    "activity",
    "collection",
    "file",
    "filter",
    "follow",
    "notification",
    "reaction",
    "stream",
    "token",
    "user",
]
ACTIONS = (
    *("create", "update", "upsert", "delete", "restore", "follow", "unfollow", "mark", "flag", "moderate"),
    "rotate",
)
Fields = Mapping[str, Any]


class OfApplication(Protocol):
    """A row of a table that belongs to an application."""

    application_id: Any


# A context variable and not an argument: about thirty functions lie between the request, which knows the
# caller, and the events, which alone ask for it.
_caller: ContextVar[str] = ContextVar("django_stream_server_caller", default="")
_holder: ContextVar[str] = ContextVar("django_stream_server_token_holder", default="")


def current_caller() -> str:
    """The user whose call is under way; empty for the application's own server and outside of calls."""
    return _caller.get()


def token_holder() -> str:
    """The user whose token it is; empty for the application's own server, for whomever that acts."""
    return _holder.get()


@contextmanager
def called_by(user_id: str, *, is_server: bool = False) -> Iterator[None]:
    """Events inside are the doing of this user; the empty string is the application's own server.

    With `is_server` it is the server that calls, and the user is only named as who asked it to.
    """
    tokens = _caller.set(user_id), _holder.set("" if is_server else user_id)
    try:
        yield
    finally:
        _caller.reset(tokens[0])
        _holder.reset(tokens[1])


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one object of an application.

    `before` and `after` hold the fields of the object's row by name. `before` is None for a new object and
    where the former state was not read, `after` is None for an object that is gone.
    """

    application_id: int
    kind: Kind
    object_id: str
    """As clients know it: an activity id, `collection:id`, the feed that follows or is marked. Of a file, a
    digest of its key, since whoever knows the key may read the file."""
    action: str
    """One of `ACTIONS`."""
    on_behalf_of: str = ""
    """The user in whose name the application's server acted, such as an activity's actor."""
    feeds: tuple[str, ...] = ()
    """The feeds that the change names, such as those that an activity was posted to."""
    placed: tuple[str, ...] = ()
    """Of those feeds, the ones that an activity came to."""
    before: Fields | None = None
    after: Fields | None = None
    details: Fields = field(default_factory=dict)
    caller: str = field(default_factory=_caller.get)
    """The user who asked for it; empty for the application's own server and outside of calls."""

    @classmethod
    def of_row(
        cls,
        row: OfApplication,
        kind: Kind,
        object_id: str,
        action: str,
        *,
        before: Fields | None = None,
        is_gone: bool = False,
        **more: Any,
    ) -> Event:
        """What happened to a row; one that is gone tells its last fields as the former ones."""
        now = fields_of(row)
        if is_gone:
            return cls(row.application_id, kind, object_id, action, before=before or now, **more)
        return cls(row.application_id, kind, object_id, action, before=before, after=now, **more)

    @property
    def user_id(self) -> str:
        """Who did it: the user who asked, or the one in whose name the application's server acted."""
        return self.caller or self.on_behalf_of


def fields_of(row: object) -> Fields:
    """The fields of a row as they are now, for `before` and `after`."""
    return {name: value for name, value in vars(row).items() if name != "_state"}
