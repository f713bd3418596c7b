"""docs/streams.md: its Python runs in one go, from the first block to the last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from django_stream.client.listening import StreamEvent
from django_stream.server.models import StreamFilter, StreamWebhook
from django_stream.server.object_types import NAMES
from django_stream.server.streams import webhooks
from tests.contract.calling import Api

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "streams.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("app_streams")]


def post() -> None:
    Api().post("user:ann", object="post:1")


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """`listen` ends after one event, which happens once somebody listens."""
    from django_stream.client.streams import StreamCalls

    forever: Callable[..., Iterator[StreamEvent]] = StreamCalls.listen

    def once(self: StreamCalls, name: str, **options: Any) -> Iterator[StreamEvent]:
        post()
        yield next(forever(self, name, **options))

    monkeypatch.setattr(StreamCalls, "listen", once)


@pytest.mark.usefixtures("ending")
def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(block, names)
    assert re.match(r"index \S{36} \{'id': ", capsys.readouterr().out)
    assert callable(names["application"])
    assert StreamFilter.objects.get().match_policy == "include_all"
    post()
    webhook, bodies = StreamWebhook.objects.get(), list[bytes]()
    webhooks.deliver_due(lambda _, body: bodies.append(body) or "")
    moment = int(webhook.created_at.timestamp())
    request = SimpleNamespace(
        body=bodies[0],
        headers={"Stream-Signature": webhooks.signature_of(webhook, bodies[0], moment)},
    )
    names["hook"](request)
    assert capsys.readouterr().out.startswith("index ")


def test_every_type_is_listed() -> None:
    listed = set(re.findall(r"`(\w+)`", PAGE))
    assert listed >= set(NAMES)
