"""Whose a thing is: decided by what is stored, under the lock of its row."""

from __future__ import annotations

from django_stream.protocol.errors import ApiError
from django_stream.protocol.references import user_reference
from django_stream.server.events.event import token_holder


def denied() -> ApiError:
    """The refusal of what the policy does not allow."""
    return ApiError.named(
        "NotAllowedException",
        "You don't have permission to do this: no policies of this application allow the request. "
        "See https://getstream.io/docs/",
    )


def check_owner(user_id: str) -> None:
    """403 unless the caller is this user, or the application's own server, whomever that names."""
    if token_holder() not in ("", user_id):
        raise denied()


def check_actor(actor: str) -> None:
    """The same for the actor of a stored activity."""
    if not is_own(actor):
        raise denied()


def is_own(actor: str) -> bool:
    """Whether the caller is this actor, or the application's own server."""
    holder = token_holder()
    return not holder or actor == user_reference(holder)
