"""Two writers on a database with locks of rows: the second begins at a chosen statement of the first."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import connection

from tests.db.publishing.concurrency import alone, is_stuck
from tests.plain_sql import plain
from tests.services.processes import wait_until


@dataclass(frozen=True)
class Meeting:
    """How the two met: both results, and whether the second had to wait for the first to end."""

    first: Any
    second: Any
    waited: bool


def meet(first: Callable[[], Any], before: str, second: Callable[[], Any]) -> Meeting:
    """Do the first until just before a statement that matches `before`, then the second beside it.

    The first goes on as soon as the second waits for one of its locks, or has ended.
    """
    begun: list[Future[Any]] = []
    waited: list[bool] = []
    pids: list[int] = []

    def pause(execute: Any, sql: str, *rest: Any) -> Any:
        if not begun and re.match(before, plain(sql)):
            begun.append(pool.submit(alone, second, pids))
            wait_until(lambda: begun[0].done() or is_stuck(pids), "the second waits or ends", within=30)
            waited.append(not begun[0].done())
        return execute(sql, *rest)

    with ThreadPoolExecutor(1) as pool:
        with connection.execute_wrapper(pause):
            done = first()
        assert begun, f"no statement began with {before}"
        return Meeting(done, begun[0].result(30), waited[0])
