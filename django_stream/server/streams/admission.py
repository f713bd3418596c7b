"""Who may read a stream, and from where: decided before the first byte."""

from __future__ import annotations

from dataclasses import dataclass, field

from django_stream.protocol import scopes
from django_stream.server.auth import keys, tokens
from django_stream.server.feed_store import database
from django_stream.server.models import AppStream
from django_stream.server.streams import channels, find, log
from django_stream.server.streams.refusals import check_enabled, refuse
from django_stream.server.streams.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class Wish:
    """What a connection asks for, in whatever form it came."""

    stream: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    """Whoever has the address needs none. One that is given must be valid, and stay so."""
    key: str = ""
    last_event_id: str = ""
    purge: bool = False
    auto_delete: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """A connection that is let in."""

    subscription: Subscription
    key: str
    position: int
    """It gets the events that follow this place."""
    token: str = field(default="", repr=False)
    auto_delete: bool = False


def admit(wish: Wish) -> Admission:
    """Check the address, the token and the cursor; a refusal is raised."""
    rows = AppStream.objects.using(database()).select_related("filter")
    stream = rows.filter(pk=find.number(wish.stream)).first()
    if stream is None or (wish.key and wish.key != stream.key):
        raise refuse("stream-not-found", f"there is no stream {wish.key or wish.stream!r}", 404)
    if not channels.admits(stream, wish.secret):
        raise refuse("invalid-token", "this is not the address of the stream", 401)
    check_token(stream.application_id, wish.token)
    position = position_of(stream, wish.last_event_id, purge=wish.purge)
    return Admission(Subscription.of(stream), stream.key, position, wish.token, wish.auto_delete)


def check_token(application_id: int, token: str) -> None:
    """Refuse a token that is not, or not any more, one of the application's server for its streams."""
    secrets = keys.secrets_of(application_id)
    if not token:
        return
    principal = tokens.verify(token, secrets, application_id)
    if not principal.is_server:
        raise tokens.not_allowed("streams are open to server tokens only", slug="app-token-required")
    if not principal.may(scopes.STREAMS, scopes.READ, None, ()):
        raise tokens.not_allowed("the token does not allow read on streams")


def position_of(stream: AppStream, last_event_id: str, *, purge: bool = False) -> int:
    """The place after which a reader begins: that of the event it names, or where the stream is."""
    check_enabled()
    log.give_places()
    state = log.state()
    if not last_event_id:
        # What queued up while nobody was reading comes first, as far as it is still there.
        return state.newest if purge else stream.position
    number = find.number(last_event_id)
    if not 0 <= number <= state.newest:
        raise refuse(
            "event-id-unknown", f"last_event_id: there is no event {last_event_id[:40]!r} in the log"
        )
    if number < state.pruned:
        raise refuse(
            "event-id-too-old",
            f"last_event_id: events after {number} are deleted; those after {state.pruned} are still there",
        )
    return number
