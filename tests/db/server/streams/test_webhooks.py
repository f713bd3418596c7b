"""Webhooks: signed, in order, tried again, and given up in a list."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from django_stream.client.exceptions import ValidationError
from django_stream.client.streams import signed_events
from django_stream.server.models import (
    ApiKey,
    Application,
    DeadLetter,
    StreamEvent,
    StreamLog,
    StreamWebhook,
)
from django_stream.server.streams import log, webhooks
from tests.contract.calling import Api
from tests.contract.streams.calling import made, ok, refused

pytestmark = pytest.mark.django_db

URL = "https://consumer.example.com/hook"


class Consumer:
    """An address that takes requests, or does not."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.trouble = ""

    def __call__(self, webhook: StreamWebhook, body: bytes) -> str:
        if not self.trouble:
            self.bodies.append(body)
        return self.trouble

    @property
    def objects(self) -> list[str]:
        return [one["data"]["object"] for body in self.bodies for one in json.loads(body)["data"]]


def post(*numbers: int) -> None:
    items = [{"actor": "a", "verb": "post", "object": str(number)} for number in numbers]
    Api().made("feed/user/ann/", {"activities": items})


def hooked() -> Any:
    made(key="one")
    return ok("PUT", "streams/one/webhook", {"url": URL})


def test_events_are_posted_once_in_order_and_in_batches(monkeypatch):
    monkeypatch.setattr(webhooks, "BATCH", 3)
    hooked()
    consumer = Consumer()
    post(*range(7))
    assert webhooks.deliver_due(consumer) == 3
    assert consumer.objects == [str(number) for number in range(7)]
    assert webhooks.deliver_due(consumer) == 0
    post(7)
    webhooks.deliver_due(consumer)
    assert consumer.objects[7:] == ["7"]


def test_what_fails_is_tried_again_later_and_stays_in_order():
    hooked()
    consumer = Consumer()
    consumer.trouble = "the answer had status 500"
    post(1)
    webhooks.deliver_due(consumer)
    told = ok("GET", "streams/one/webhook")
    assert (told["attempts"], told["last_error"]) == (1, "the answer had status 500")
    consumer.trouble = ""
    post(2)
    assert webhooks.deliver_due(consumer) == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        webhooks.deliver_due(consumer)
    assert consumer.objects == ["1", "2"]
    assert ok("GET", "streams/one/webhook")["attempts"] == 0


def test_what_never_arrives_is_a_dead_letter_and_the_next_goes_on():
    hooked()
    consumer = Consumer()
    consumer.trouble = "nobody there"
    post(1)
    for attempt in range(webhooks.ATTEMPTS_MAX):
        with time_machine.travel(timezone.now() + timedelta(hours=attempt)):
            webhooks.deliver_due(consumer)
    (letter,) = ok("GET", "streams/one/webhook/dead_letters")
    assert (letter["first_event_id"], letter["last_event_id"], letter["error"]) == ("1", "1", "nobody there")
    consumer.trouble = ""
    post(2)
    with time_machine.travel(timezone.now() + timedelta(hours=webhooks.ATTEMPTS_MAX)):
        webhooks.deliver_due(consumer)
    assert consumer.objects == ["2"]
    assert webhooks.deliver_again(StreamWebhook.objects.get(), consumer) == 1
    assert consumer.objects == ["2", "1"]
    assert DeadLetter.objects.count() == 0


def test_events_that_were_deleted_before_they_could_be_delivered_are_in_the_list():
    hooked()
    post(1, 2, 3)
    log.give_places()
    StreamEvent.objects.filter(position__lte=2).delete()
    StreamLog.objects.update(pruned=2)
    consumer = Consumer()
    webhooks.deliver_due(consumer)
    assert consumer.objects == ["3"]
    (letter,) = ok("GET", "streams/one/webhook/dead_letters")
    assert (letter["first_event_id"], letter["last_event_id"]) == ("1", "2")
    assert "deleted" in letter["error"]


def test_whoever_is_overtaken_changes_nothing():
    hooked()
    post(1)

    def slow(webhook: StreamWebhook, body: bytes) -> str:
        with time_machine.travel(timezone.now() + timedelta(minutes=2)):
            webhooks.deliver_due(consumer)
        return "too late"

    consumer = Consumer()
    webhooks.deliver_due(slow)
    assert consumer.objects == ["1"]
    assert StreamWebhook.objects.get().attempts == 0


def test_a_consumer_checks_the_signature():
    secret = hooked()["secret"]
    webhook = StreamWebhook.objects.get()
    post(1)
    consumer = Consumer()
    webhooks.deliver_due(consumer)
    (body,) = consumer.bodies
    moment = int(timezone.now().timestamp())
    signature = webhooks.signature_of(webhook, body, moment)
    (event,) = signed_events(body, signature, secret)
    assert (event.data["object"], event.type) == ("1", "activity")
    for bad in (
        (body + b" ", signature, secret),
        (body, signature, "another"),
        (body, "", secret),
        (body, webhooks.signature_of(webhook, body, moment - 3600), secret),
    ):
        with pytest.raises(ValidationError):
            signed_events(*bad)


def test_over_a_socket(live_server):
    made(key="one")
    ok("PUT", "streams/one/webhook", {"url": f"{live_server.url}/api/v1.0/health/"})
    webhook = StreamWebhook.objects.get()
    assert webhooks.send(webhook, b"{}") == ""
    webhook.url = f"{live_server.url}/api/v1.0/nothing/"
    assert webhooks.send(webhook, b"{}") == "the answer had status 404"
    webhook.url = "http://127.0.0.1:9/"
    assert webhooks.send(webhook, b"{}").startswith("ConnectionError")
    call_command("stream_webhooks", "--once")


def test_other_applications_reach_public_addresses_only():
    key = ApiKey.objects.create(application=Application.objects.create())
    other = Api(api_key=key.pk, secret=key.secret())
    assert other.call("POST", "streams", {"object_types": ["post"], "key": "one"}).status == 200
    for url in ("http://127.0.0.1/", "http://10.0.0.1/", "http://localhost:8000/"):
        assert other.call("PUT", "streams/one/webhook", {"url": url}).status == 200
        assert webhooks.send(StreamWebhook.objects.get(), b"{}") != ""


@pytest.mark.parametrize(
    "url", [None, 7, "", "ftp://x/", "http://", "http://u:p@x/", "http://x y/", "x" * 600]
)
def test_no_address(url):
    made(key="one")
    assert refused("PUT", "streams/one/webhook", {"url": url}) == (400, "invalid-url")


def test_a_webhook_is_replaced_and_removed():
    first = hooked()
    again = ok("PUT", "streams/one/webhook", {"url": URL + "2"})
    assert (again["url"], again["secret"]) == (URL + "2", first["secret"])
    assert ok("DELETE", "streams/one/webhook") == {"url": URL + "2", "is_deleted": True}
    assert refused("GET", "streams/one/webhook") == (404, "webhook-not-found")


def test_the_admin_shows_streams_webhooks_and_dead_letters(admin_client):
    hooked()
    post(1, 2)
    webhook = StreamWebhook.objects.get()
    DeadLetter.objects.create(webhook=webhook, first_position=1, last_position=1, body="{}", error="gone")
    for name, shown in (("appstream", "one"), ("streamwebhook", URL), ("deadletter", "gone")):
        page = admin_client.get(f"/admin/django_stream_server/{name}/")
        assert (page.status_code, shown in page.content.decode()) == (200, True)
    assert (
        admin_client.get(f"/admin/django_stream_server/appstream/{webhook.stream_id}/change/").status_code
        == 200
    )


def test_an_address_that_answers_slowly_holds_up_nobody(monkeypatch):
    monkeypatch.setattr(webhooks, "BATCH", 1)
    for name in ("one", "two"):
        made(key=name)
        ok("PUT", f"streams/{name}/webhook", {"url": f"{URL}/{name}"})
    post(*range(9))
    now = [0.0]
    monkeypatch.setattr(webhooks.time, "monotonic", lambda: now[0])
    arrived: dict[str, int] = {}

    def slow(webhook: StreamWebhook, body: bytes) -> str:
        name = webhook.url[-3:]
        arrived[name] = arrived.get(name, 0) + 1
        now[0] += 14.0 if name == "one" else 0.0
        return ""

    assert webhooks.deliver_due(slow) == 10
    assert arrived == {"one": 1, "two": 9}
    webhooks.deliver_due(slow)
    assert arrived == {"one": 2, "two": 9}


def test_slow_addresses_of_one_application_together_have_one_turn(monkeypatch):
    monkeypatch.setattr(webhooks, "BATCH", 1)
    key = ApiKey.objects.create(application=Application.objects.create())
    other = Api(api_key=key.pk, secret=key.secret())
    for number in range(5):
        name = f"slow{number}"
        assert other.call("POST", "streams", {"object_types": ["activity"], "key": name}).status == 200
        assert other.call("PUT", f"streams/{name}/webhook", {"url": f"{URL}/{name}"}).status == 200
    hooked()
    activity = {"actor": "a", "verb": "v", "object": "o"}
    assert other.call("POST", "feed/user/ann/", {"activities": [activity] * 3}).status == 201
    post(*range(3))
    now, arrived = [0.0], []
    monkeypatch.setattr(webhooks.time, "monotonic", lambda: now[0])

    def slow(webhook: StreamWebhook, body: bytes) -> str:
        arrived.append(webhook.url.removeprefix(URL))
        now[0] += 14.0 if "slow" in webhook.url else 0.0
        return ""

    assert webhooks.deliver_due(slow) == 5
    assert arrived == ["/slow0", "/slow1", "", "", ""]
    webhooks.deliver_due(slow)
    assert arrived[5:] == ["/slow2", "/slow3"]


def test_dead_letters_are_sent_while_time_is_left(monkeypatch):
    hooked()
    webhook = StreamWebhook.objects.get()
    for number in range(5):
        letter = {"first_position": number, "last_position": number, "body": "{}", "error": "x"}
        DeadLetter.objects.create(webhook=webhook, **letter)
    now = [0.0]
    monkeypatch.setattr(webhooks.time, "monotonic", lambda: now[0])

    def slow(webhook: StreamWebhook, body: bytes) -> str:
        now[0] += 0.7
        return ""

    assert [webhooks.deliver_again(webhook, slow) for _ in range(3)] == [2, 2, 1]
