"""The README of the installed stream-python runs after a change of its import, every line of it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from datetime import UTC, datetime
from importlib.metadata import metadata
from types import CodeType
from typing import Any

import pytest
import responses

from tests.unit.client.requests_seen import API

README = str(metadata("stream-python").get_payload())
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
# What the README takes as known from the reader's own code.
KNOWN: dict[str, Any] = {
    "activity_id": "9b5b3540-e825-11e8-8080-800016ff21e4",
    "foreign_id": "tweet:1",
    "activity_time": datetime(2026, 1, 31, tzinfo=UTC),
}


def compiled(example: str) -> CodeType:
    moved = example.replace("import stream\n", "import django_stream.client as stream\n")
    assert moved != example
    return compile(moved, "README", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("example", EXAMPLES, ids=["synchronous", "asynchronous"])
def test_the_official_readme_runs_after_a_change_of_import(
    example: str, mocked: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STREAM_URL", "STREAM_REGION", "LOCAL"):
        monkeypatch.delenv(name, raising=False)
    for method in ("GET", "POST", "DELETE"):
        mocked.add(method, re.compile(API.replace("api.", r"(us-east-)?api.")), json={"duration": "1ms"})
    names = dict(KNOWN)

    running = eval(compiled(example), names)
    if inspect.iscoroutine(running):
        asyncio.run(running)

    assert len(mocked.calls) == len(
        re.findall(r"^(?:\w+ = )?(?:await )?\w+\.(?:get|add|re|fo|un|act)", example, re.M)
    )
    assert isinstance(names["redirect_url"], str)
