"""What stream-python's users wrote goes on: its README runs, and each public name is here or has another."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
import stream

from django_stream import client as ours
from django_stream.client import serializer
from django_stream.client.exceptions import ValidationError
from django_stream.server.conf import server_settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "moving.md").read_text()
TABLE = PAGE.partition("## stream-python")[2]
SUCCESSORS = dict(re.findall(r"^\| `(stream[\w.]*)` \| (.+?) \|$", TABLE, re.MULTILINE))
README = str(metadata("stream-python").get_payload() or metadata("stream-python")["Description"])
EXAMPLES = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "connect(" in block]


def public() -> Iterator[tuple[str, str]]:
    """Modules of stream-python, and the names that each defines."""
    yield "stream", "connect"
    for module in pkgutil.walk_packages(stream.__path__, "stream."):
        if ".tests" not in module.name:
            for name, value in vars(importlib.import_module(module.name)).items():
                if not name.startswith("_") and getattr(value, "__module__", None) == module.name:
                    yield module.name, name


def has(module: str, name: str) -> bool:
    """Whether the same name is in the module of ours by the same name, or in the client."""
    path = module.removeprefix("stream").removeprefix(".").partition(".")[0]
    for candidate in (f"django_stream.client.{path}".rstrip("."), "django_stream.client"):
        try:
            if hasattr(importlib.import_module(candidate), name):
                return True
        except ImportError:
            continue
    return False


@pytest.mark.parametrize(("module", "name"), list(public()), ids=".".join)
def test_each_public_name_is_here_or_has_a_successor(module: str, name: str) -> None:
    assert has(module, name) or f"{module}.{name}" in SUCCESSORS


def test_the_table_names_nothing_that_is_not_there() -> None:
    known = {f"{module}.{name}" for module, name in public()}
    assert set(SUCCESSORS) <= known
    for here in SUCCESSORS.values():
        for path in re.findall(r"`(django_stream[\w.]+)`", here):
            module, _, name = path.rpartition(".")
            assert hasattr(importlib.import_module(module), name), path


@pytest.mark.parametrize(
    ("theirs", "here"),
    [(stream.client.client.StreamClient, ours.StreamClient), (stream.feed.feeds.Feed, ours.Feed)],
    ids=["client", "feed"],
)
def test_methods_take_what_they_took(theirs: Any, here: Any) -> None:
    for name, method in inspect.getmembers(theirs, inspect.isfunction):
        if name.startswith("_"):
            continue
        taken = set(inspect.signature(getattr(here, name)).parameters)
        wanted = inspect.signature(method).parameters.values()
        named = {one.name for one in wanted if one.kind is one.POSITIONAL_OR_KEYWORD}
        open_ended = "params" in taken or "extra_data" in taken
        assert open_ended or named <= taken, (name, named - taken)


def ready(example: str, url: str) -> str:
    """An example of the README, with the client, the server and the names that it expects."""
    where = f"{server_settings.own_key!r}, {server_settings.own_secret!r}, base_url={url!r}"
    return (
        example.replace("import stream\n", "import django_stream.client as stream\n")
        .replace("'YOUR_API_KEY', 'API_KEY_SECRET', location='us-east'", where)
        .replace("'YOUR_API_KEY', 'API_KEY_SECRET'", where)
    )


@pytest.fixture
def names(settings: Any, live_server: Any) -> dict[str, Any]:
    settings.STREAM_SERVER_FEED_GROUPS = {"user": {"kind": "flat"}, "flat": {"kind": "flat"}}
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    connected = ours.connect(server_settings.own_key, server_settings.own_secret, base_url=live_server.url)
    added = connected.feed("user", "1").add_activity(
        {
            "actor": "1",
            "verb": "buy",
            "object": "2",
            "foreign_id": "buy:1",
            "time": moment,
            "product": {"name": "shoes"},
            "popularity": 9,
            "details": {"info": "x", "more": "y"},
        }
    )
    return {"activity_id": added["id"], "foreign_id": "buy:1", "activity_time": moment}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(2), ids=["getting started", "asynchronous"])
def test_the_readme_runs(number: int, names: dict[str, Any], live_server: Any) -> None:
    text = ready(EXAMPLES[number], live_server.url)
    if number == 0:
        exec(text, names)
    else:
        lines = textwrap.indent(text, "    ")
        exec(f"async def main():\n    global client, redirect_url\n{lines}", names)
        asyncio.run(names["main"]())

    assert "google.com" in names["redirect_url"]
    client = ours.connect(server_settings.own_key, server_settings.own_secret, base_url=live_server.url)
    (bought,) = client.get_activities(ids=[names["activity_id"]])["results"]
    assert bought["product"] == {"name": "boots"}
    assert bought["details"] == {"more": "y"}
    assert {one["verb"] for one in client.feed("user", "1").get()["results"]} >= {"run", "watch", "like"}


def test_there_are_two_examples() -> None:
    assert len(EXAMPLES) == 2


def test_json_as_text() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    text = serializer.dumps({"time": moment, "note": "2026-01-01T00:00:00", "many": [{"updated_at": moment}]})

    value = serializer.loads(text)

    assert value == {"time": moment, "note": "2026-01-01T00:00:00", "many": [{"updated_at": moment}]}
    assert serializer.loads('{"time": "soon"}') == {"time": "soon"}
    with pytest.raises(ValidationError):
        serializer.dumps({"x": object()})
