"""Several pieces of work at once, with their outcomes in the order in which they were begun."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def in_flight(
    items: Iterable[Item], work: Callable[[Item], Outcome], jobs: int, using: str
) -> Iterator[tuple[Item, Outcome]]:
    """Each item with its outcome, in order, while up to `jobs` of them are worked on by threads.

    One job needs no thread, and works inside of the caller's transaction. SQLite gets one: it has one writer
    at a time, and refuses others instead of letting them wait.
    """
    if jobs == 1 or connections[using].vendor == "sqlite":
        yield from ((item, work(item)) for item in items)
        return
    waiting: deque[tuple[Item, Future[Outcome]]] = deque()
    with ThreadPoolExecutor(jobs, "django_stream") as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(_work, work, item)))
                # As many again are ready, so that no thread waits for the slowest one.
                if len(waiting) >= 2 * jobs:
                    first, outcome = waiting.popleft()
                    yield first, outcome.result()
            while waiting:
                first, outcome = waiting.popleft()
                yield first, outcome.result()
        finally:
            for _, outcome in waiting:
                outcome.cancel()


def _work(work: Callable[[Item], Outcome], item: Item) -> Outcome:
    try:
        return work(item)
    finally:
        connections.close_all()
