"""What a publisher is asked for many objects at once, and for each alone where that fails."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from django.db import connections, transaction

from django_stream.publishing.publisher import Change, Desired, Publisher

if TYPE_CHECKING:
    from django_stream.client import StreamClient

logger = logging.getLogger("django_stream.publishing")


def desired_state(publisher: Publisher, keys: list[str], using: str) -> dict[str, Desired | Exception]:
    """The desired state by key; of what has no form in JSON it is an error."""
    return {key: with_json_form(value) for key, value in undigested_state(publisher, keys, using).items()}


def undigested_state(publisher: Publisher, keys: list[str], using: str) -> dict[str, Desired | Exception]:
    """The same, unproven. When reading all fails, each is read alone to find the one at fault."""
    try:
        with _contained(using):
            return dict(publisher.desired(keys, using))
    except Exception as error:
        if len(keys) == 1:
            return {keys[0]: error}
        return {
            key: value for one in keys for key, value in undigested_state(publisher, [one], using).items()
        }


def with_json_form(value: Desired | Exception) -> Desired | Exception:
    """Content without a JSON form is an error of this object alone, found before anything is sent."""
    try:
        if isinstance(value, Desired):
            _ = value.digest
    except Exception as error:  # whatever the content's own code may raise
        return error
    return value


def apply(publisher: Publisher, client: StreamClient, changes: list[Change]) -> dict[str, Exception]:
    """Send changes; why those failed that did, by key."""
    if not changes:
        return {}
    try:
        return dict(publisher.apply(client, changes))
    except Exception as error:
        if len(changes) == 1:
            return {changes[0].key: error}
        logger.exception("publishing %s failed as a whole, and is tried one by one", publisher.label)
    return {key: error for one in changes for key, error in apply(publisher, client, [one]).items()}


def _contained(using: str) -> AbstractContextManager[object]:
    """A failed statement spoils nothing but itself: only inside a transaction that takes a savepoint."""
    return transaction.atomic(using) if connections[using].in_atomic_block else nullcontext()
