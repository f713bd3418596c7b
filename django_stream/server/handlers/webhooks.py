"""Webhooks of streams, and what could not be delivered to them."""

from __future__ import annotations

from django_stream.server import turns
from django_stream.server.actions import webhooks as actions
from django_stream.server.feed_store import database
from django_stream.server.requests import Body, Call
from django_stream.server.streams import shapes, webhooks


def replace(call: Call) -> Body:
    """Have a stream's events posted to a `url`."""
    webhook = actions.set_url(call.application_id, call.captures["stream"], call.fields().get("url"))
    return shapes.one(webhooks.described(webhook))


def read(call: Call) -> Body:
    """Read the webhook of a stream, with its secret."""
    return shapes.one(webhooks.described(actions.of(call.application_id, call.captures["stream"])))


def delete(call: Call) -> Body:
    """Remove the webhook of a stream."""
    gone = actions.remove(call.application_id, call.captures["stream"])
    return shapes.one({"url": gone.url, "is_deleted": True})


def dead_letters(call: Call) -> Body:
    """List what was given up, the oldest first."""
    webhook = actions.of(call.application_id, call.captures["stream"])
    letters = webhook.dead_letters.using(database()).order_by("pk")[:100]
    return shapes.many([webhooks.letter(one) for one in letters])


def deliver_again(call: Call) -> Body:
    """Send what was given up once more."""
    webhook = actions.of(call.application_id, call.captures["stream"])
    with turns.webhooks.turn(call.application_id, ""):
        return shapes.one({"delivered": webhooks.deliver_again(webhook)})
