"""Events of a stream posted to an address: signed, in order, and again until they arrive."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import requests
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.encoding import force_bytes

from django_stream.protocol.errors import ApiError
from django_stream.server.conf import server_settings
from django_stream.server.extras import MissingExtra
from django_stream.server.feed_store import database
from django_stream.server.models import DeadLetter, StreamWebhook
from django_stream.server.opengraph.public_addresses import Rules
from django_stream.server.streams import log
from django_stream.server.streams.subscriptions import Routes, Subscription

logger = logging.getLogger("django_stream.server")

BATCH = 100
"""Events of one request, at most."""
ATTEMPTS_MAX = 12
"""So often a request is tried, over about two hours, before it becomes a dead letter."""
_BODY_BYTES = 1024 * 1024
_LEASE = timedelta(seconds=60)
_SECONDS = 15.0
_SHARE_SECONDS = 20.0
"""After so long the webhooks of the next application have their turn, however slow or many these are."""
# A request sends dead letters for so long, and waits so long for the last of them.
_AGAIN_SECONDS, _PATIENCE = 1.0, 2.0
_PAUSES = (5.0, 1800.0)

Post = Callable[[StreamWebhook, bytes], str]
"""Sends a body; an empty text for success, or what was wrong."""


def secret_of(webhook: StreamWebhook) -> str:
    """What requests to it are signed with. Derived, and stored nowhere."""
    text = f"django_stream.webhook:{webhook.stream_id}:{webhook.pk}:{webhook.created_at.timestamp()}"
    return hmac.new(force_bytes(settings.SECRET_KEY), text.encode(), hashlib.sha256).hexdigest()


def signature_of(webhook: StreamWebhook, body: bytes, moment: int) -> str:
    """The header: the time, and a digest of the time and the body."""
    digest = hmac.new(secret_of(webhook).encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={digest.hexdigest()}"


def deliver_due(post: Post | None = None) -> int:
    """Deliver what is due, of all webhooks; how many requests have arrived."""
    log.give_places()
    due = StreamWebhook.objects.using(database()).filter(due_at__lte=timezone.now()).order_by("due_at", "pk")
    by_application: dict[int, list[int]] = {}
    for application_id, number in due.values_list("stream__application", "pk"):
        by_application.setdefault(application_id, []).append(number)
    return sum(_deliver_some(numbers, post or send) for numbers in by_application.values())


def _deliver_some(numbers: Sequence[int], post: Post) -> int:
    """Deliver what webhooks of one application have not had yet, while its turn lasts."""
    is_over, delivered = _turn(_SHARE_SECONDS), 0
    for number in numbers:
        if is_over():
            break
        delivered += _deliver(number, post, _turn(_SHARE_SECONDS / len(numbers)))
    return delivered


def _deliver(number: int, post: Post, is_over: Callable[[], bool]) -> int:
    """Deliver what one webhook has not had yet, until one request fails or the time is over."""
    delivered = 0
    while not is_over() and (claimed := _claim(number)) is not None:
        _skip_what_is_deleted(claimed)
        body, position = _next(claimed)
        if not body:
            _settle(claimed, position=position, due_at=timezone.now())
            return delivered
        if error := post(claimed, body):
            _failed(claimed, body, position, error)
            return delivered
        delivered += 1
        if not _settle(claimed, position=position, attempts=0, last_error="", due_at=timezone.now()):
            return delivered
    return delivered


def _turn(seconds: float) -> Callable[[], bool]:
    """Tells whether a turn that begins now is over."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _claim(number: int) -> StreamWebhook | None:
    """Take a webhook that is due, so that nobody else sends the same at the same time."""
    now = timezone.now()
    rows = StreamWebhook.objects.using(database()).filter(pk=number)
    if not rows.filter(due_at__lte=now).update(due_at=now + _LEASE):
        return None
    return rows.select_related("stream", "stream__filter").filter(due_at=now + _LEASE).first()


def _settle(webhook: StreamWebhook, **changes: Any) -> bool:
    """Write down how it went, if the claim has not run out meanwhile."""
    mine = StreamWebhook.objects.using(database()).filter(pk=webhook.pk, due_at=webhook.due_at)
    return bool(mine.update(**changes))


def _skip_what_is_deleted(webhook: StreamWebhook) -> None:
    """Say so where the log does not go back to what was delivered last."""
    pruned = log.state().pruned
    if webhook.position >= pruned:
        return
    with transaction.atomic(using=database()):
        if _settle(webhook, position=pruned):
            reason = "the log's oldest events were deleted before they could be delivered"
            _give_up(webhook, pruned, b"", reason)
    webhook.position = pruned


def _give_up(webhook: StreamWebhook, position: int, body: bytes, reason: str) -> None:
    DeadLetter.objects.using(database()).create(
        webhook=webhook,
        first_position=webhook.position + 1,
        last_position=position,
        body=body.decode(),
        error=reason[:255],
    )


def _next(webhook: StreamWebhook) -> tuple[bytes, int]:
    """The next request's body and the place that it reaches; no body when there is nothing to tell."""
    routes, position = Routes([Subscription.of(webhook.stream)]), webhook.position
    while events := log.after(position):
        texts: list[bytes] = []
        for logged in events:
            position = logged.position
            texts += [frame.text for _, frame in routes.of(logged)]
            if len(texts) == BATCH or sum(map(len, texts)) > _BODY_BYTES:
                break
        if texts:
            return b'{"data":[' + b",".join(texts) + b"]}", position
    return b"", position


def _failed(webhook: StreamWebhook, body: bytes, position: int, error: str) -> None:
    logger.warning("webhook %s of stream %s failed: %s", webhook.pk, webhook.stream_id, error)
    attempts, now = webhook.attempts + 1, timezone.now()
    if attempts < ATTEMPTS_MAX:
        _settle(webhook, attempts=attempts, last_error=error[:255], due_at=now + _pause(attempts))
        return
    with transaction.atomic(using=database()):
        if _settle(webhook, position=position, attempts=0, last_error=error[:255], due_at=now):
            _give_up(webhook, position, body, error)


def _pause(attempts: int) -> timedelta:
    return timedelta(seconds=min(_PAUSES[1], _PAUSES[0] * 2 ** (attempts - 1)))


def deliver_again(webhook: StreamWebhook, post: Post | None = None) -> int:
    """Send dead letters once more, while time is left; those that arrive are deleted. How many did."""
    delivered, is_over = 0, _turn(_AGAIN_SECONDS)
    letters = DeadLetter.objects.using(database()).filter(webhook=webhook).exclude(body="")
    while not is_over() and (letter := letters.order_by("pk").first()) is not None:
        if (post or partial(send, seconds=_PATIENCE))(webhook, letter.body.encode()):
            break
        letter.delete()
        delivered += 1
    return delivered


def send(webhook: StreamWebhook, body: bytes, *, seconds: float = _SECONDS) -> str:
    """Post a body to a webhook's address, which may take so long."""
    moment = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "Stream-Id": str(webhook.stream_id),
        "Stream-Signature": signature_of(webhook, body, moment),
    }
    try:
        with _session(webhook, seconds) as session:
            answer = session.post(
                webhook.url, data=body, headers=headers, timeout=seconds, allow_redirects=False, stream=True
            )
            answer.close()
    except (ApiError, MissingExtra, requests.RequestException, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "" if answer.ok and not answer.is_redirect else f"the answer had status {answer.status_code}"


@contextmanager
def _session(webhook: StreamWebhook, seconds: float) -> Iterator[requests.Session]:
    """The site's own application may name any address, others only such as are public."""
    if webhook.stream.application_id == server_settings.own_app_id:
        with requests.Session() as session:
            session.trust_env = False
            yield session
        return
    try:
        from django_stream.server.opengraph.sessions import ends_within
        from django_stream.server.opengraph.sessions import session as guarded
    except ImportError as error:
        raise MissingExtra("webhooks of other applications need requests-hardened", "opengraph") from error
    rules = Rules()
    rules.check_url(webhook.url)
    with ends_within(seconds), guarded(rules) as session:
        yield session


def described(webhook: StreamWebhook) -> dict[str, Any]:
    """A webhook as an object of the wire; its secret is told to whoever may make one."""
    return {
        "url": webhook.url,
        "secret": secret_of(webhook),
        "last_event_id": str(webhook.position),
        "attempts": webhook.attempts,
        "last_error": webhook.last_error,
        "next_attempt_at": _text(webhook.due_at) if webhook.attempts else None,
        "dead_letters": webhook.dead_letters.using(database()).count(),
    }


def letter(row: DeadLetter) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "first_event_id": str(row.first_position),
        "last_event_id": str(row.last_position),
        "error": row.error,
        "created_at": _text(row.created_at),
    }


def _text(moment: datetime) -> str:
    return moment.isoformat()
