"""The webhook of a stream is set and removed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from django_stream.server.events.event import Event
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database
from django_stream.server.models import AppStream, StreamWebhook
from django_stream.server.streams import find, log
from django_stream.server.streams.refusals import refuse

_URL_MAX = 500


def set_url(application_id: int, name: str, url: Any) -> StreamWebhook:
    """Have a stream's events posted to an address, from now on."""
    checked = _checked(url)
    with transaction.atomic(using=database()):
        stream = find.stream(application_id, name)
        log.give_places()
        webhook, created = StreamWebhook.objects.using(database()).get_or_create(
            stream=stream, defaults={"url": checked, "position": log.state().newest}
        )
        if not created:
            webhook.url = checked
            webhook.save(using=database(), update_fields=["url"])
        record([_event(stream, checked)])
    return webhook


def remove(application_id: int, name: str) -> StreamWebhook:
    """Post nothing any more; dead letters go, too. The row as it was."""
    with transaction.atomic(using=database()):
        webhook = of(application_id, name)
        number = webhook.pk
        record([_event(webhook.stream, "")])
        webhook.delete(using=database())
        webhook.pk = number
    return webhook


def of(application_id: int, name: str) -> StreamWebhook:
    """The webhook of a stream, or the refusal that it has none."""
    stream = find.stream(application_id, name)
    rows = StreamWebhook.objects.using(database()).select_related("stream")
    found = rows.filter(stream=stream).first()
    if found is None:
        raise refuse("webhook-not-found", f"stream {stream.key!r} has no webhook", 404)
    return found


def _checked(url: Any) -> str:
    if not isinstance(url, str) or len(url) > _URL_MAX or not url.isascii() or not url.isprintable():
        raise refuse("invalid-url", f"url must be an address of at most {_URL_MAX} characters")
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or " " in url or "@" in parts.netloc:
        raise refuse("invalid-url", "url must be an http or https address without a password")
    return url


def _event(stream: AppStream, url: str) -> Event:
    return Event(
        stream.application_id, "stream", str(stream.pk), "update", details={"webhook": url} if url else {}
    )
