"""How many of the generated requests came to the functions that answer them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

collect_ignore = [] if find_spec("schemathesis") else ["test_described_requests.py"]

REACHED = "reached a handler"
_counts: Counter[tuple[str, str]] = Counter()


def count(kind: str, answer: Any) -> None:
    """Note what became of a request with this kind of token."""
    # The rate limits are told from the moment at which nothing but the endpoint's function can refuse.
    reached = "x-ratelimit-limit" in answer.headers
    _counts[kind, f"{answer.status_code // 100}xx{'' if reached else ' before'}"] += 1
    _counts[kind, "all"] += 1
    _counts[kind, REACHED] += reached


def _share(kind: str) -> float:
    return _counts[kind, REACHED] / _counts[kind, "all"]


@pytest.fixture(scope="session", autouse=True)
def most_requests_reach_a_handler() -> Iterator[None]:
    yield
    for kind in {kind for kind, _ in _counts}:
        assert _share(kind) > 0.7, _counts


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for kind in sorted({kind for kind, _ in _counts}):
        told = {outcome: number for (one, outcome), number in sorted(_counts.items()) if one == kind}
        terminalreporter.write_line(f"{kind} token: {_share(kind):.0%} of the requests {REACHED}: {told}")
