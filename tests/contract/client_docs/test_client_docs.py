"""docs/client.md does what it says: each section runs, and together they call every endpoint."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import responses
from pytest_django.live_server_helper import LiveServer

from django_stream.protocol.messages import ApiRequest, ApiResponse
from django_stream.server.transport import EmbeddedTransport
from tests.extras import needs

PAGE = Path(__file__).parents[3] / "docs" / "client.md"
SETUP = "Connecting"
SLUG, ITEM = "[a-z_]+", "[^/]+"
FEED = f"feed/{SLUG}/{ITEM}/"
# Every endpoint of the wire document that has a method of its own in the client.
ENDPOINTS = {
    "GET": [
        *(FEED, f"enrich/{FEED}", "activities/", "enrich/activities/"),
        *(f"{FEED}followers/", f"{FEED}follows/", "stats/follow/"),
        *(f"reaction/{ITEM}/", "reaction/get_many/", f"reaction/activity_id/{ITEM}/"),
        *(f"reaction/activity_id/{ITEM}/{ITEM}/", f"reaction/reaction_id/{ITEM}/"),
        *(f"reaction/user_id/{ITEM}/{ITEM}/", f"user/{ITEM}/", "users/"),
        *(f"collections/{SLUG}/{ITEM}/", "collections/", "images/", "og/"),
        *("audit_logs/", f"data_privacy/export_ids/{ITEM}/"),
    ],
    "POST": [
        *(FEED, "activities/", "activity/", "feed/add_to_many/", "follow_many/", "unfollow_many/"),
        *(f"{FEED}follows/", f"feed_targets/{SLUG}/{ITEM}/activity_to_targets/", "reaction/", "user/"),
        *("users/", f"collections/{SLUG}/", "collections/", "files/", "images/", "files/refresh/"),
        *(
            "images/refresh/",
            "data_privacy/delete_activities/",
            "data_privacy/delete_reactions/",
            "moderation/flag/",
        ),
        *("moderation/status/", "moderation/status/batch/"),
    ],
    "PUT": [f"reaction/{ITEM}/", f"reaction/{ITEM}/restore/", f"user/{ITEM}/", f"collections/{SLUG}/{ITEM}/"],
    "DELETE": [
        *(f"{FEED}{ITEM}/", f"{FEED}follows/{ITEM}/", f"reaction/{ITEM}/", f"user/{ITEM}/", "users/"),
        *(f"collections/{SLUG}/{ITEM}/", "collections/", "files/", "images/"),
        f"moderation/user/cache/{ITEM}/",
    ],
}


@dataclass(frozen=True)
class Block:
    """One fenced example, and the line of the page where it begins."""

    code: str
    line: int
    hosted: bool


def sections() -> dict[str, list[Block]]:
    found: dict[str, list[Block]] = {}
    text = PAGE.read_text()
    heading = re.compile(r"^## (.+)$", re.MULTILINE)
    fence = re.compile(r"^(<!-- hosted -->\n)?```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    starts = [*heading.finditer(text), None]
    for here, after in itertools.pairwise(starts):
        assert here is not None
        end = after.start() if after else len(text)
        found[here[1]] = [
            Block(match[2], text.count("\n", 0, match.start(2)), match[1] is not None)
            for match in fence.finditer(text, here.end(), end)
        ]
    return found


SECTIONS = sections()
EXECUTED = [name for name, blocks in SECTIONS.items() if blocks]
NEEDS = {"Files and images": "images", "Open graph": "opengraph"}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Method and path of each request that the embedded server gets."""
    calls: list[tuple[str, str]] = []
    send = EmbeddedTransport.send

    def noting(self: EmbeddedTransport, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        calls.append((request.method, request.path))
        return send(self, request, timeout=timeout)

    monkeypatch.setattr(EmbeddedTransport, "send", noting)
    return calls


def run(section: str, base_url: str | None = None) -> None:
    """Run a section in the same process, or against a server at an address."""
    names: dict[str, Any] = {}
    elsewhere = f"client = stream.StreamClient(client.api_key, client.api_secret, base_url={base_url!r})"
    between = Block(f"import datetime\n{elsewhere if base_url else ''}", 0, False)
    try:
        for block in [*SECTIONS[SETUP], between, *SECTIONS[section]]:
            # The name and the padding make a traceback point into the page.
            code = compile("\n" * block.line + block.code, str(PAGE), "exec")
            if block.hosted:
                with_hosted_service(code, names)
            else:
                exec(code, names)
    finally:
        # A kept connection would outlive the server's thread.
        names["client"].close()


def with_hosted_service(code: Any, names: dict[str, Any]) -> None:
    """Run an example of what only the hosted service has, against a recorded kind of answer."""
    stream = names["stream"]
    embedded = names["client"]
    names["client"] = stream.StreamClient(embedded.api_key, embedded.api_secret)
    with responses.RequestsMock() as mocked:
        for method in ("GET", "POST", "DELETE"):
            mocked.add(method, re.compile(r"https://(analytics|personalization)\."), json={"duration": "1ms"})
        exec(code, names)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "section", [pytest.param(name, marks=[needs(NEEDS[name])] if name in NEEDS else []) for name in EXECUTED]
)
def test_the_examples_of_a_section_run_over_a_socket(section: str, live_server: LiveServer) -> None:
    run(section, live_server.url)


@needs("images")
@needs("opengraph")
@pytest.mark.django_db(transaction=True)
def test_the_examples_run_in_this_process_and_call_every_endpoint(called: list[tuple[str, str]]) -> None:
    for section in EXECUTED:
        run(section)

    missing = [
        (method, pattern)
        for method, patterns in ENDPOINTS.items()
        for pattern in patterns
        if not any(verb == method and re.fullmatch(pattern, path) for verb, path in called)
    ]
    assert missing == []
