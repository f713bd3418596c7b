"""Work that is too much for a request: its job is written with the change, and run after the commit."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from django.db import OperationalError

from django_stream.database.commits import call_after_commit
from django_stream.database.requests import is_in_request
from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database
from django_stream.wakeup import has_workers, waker

logger = logging.getLogger("django_stream.server")

# Seconds between the attempts of a job beside requests. After them it waits for the schedule.
_PAUSES = (0.1, 0.5, 2.0, 5.0)


def on_commit(task: str, run: Callable[[int], None], job_id: int) -> None:
    """After the commit, have a worker run a job by the task of this name.

    Without their broker, or without workers, a thread of this process runs it: no request waits for it.
    What is no request has the time, and may end with its last line: there it is run there and then.
    """
    call_after_commit(database(), _hand_on, task, partial(run, job_id), job_id)


def _hand_on(task: str, run: Callable[[], None], job_id: int) -> None:
    if has_workers():
        waker.send(task, (job_id,), queue=server_settings.FANOUT_QUEUE, on_failure=run)
    elif is_in_request():
        waker.call(task, (job_id,), partial(_patiently, run))
    else:
        run()


def _patiently(run: Callable[[], None]) -> None:
    """Run a job beside requests, which may hold what it needs: SQLite refuses one of two writers."""
    for seconds in _PAUSES:
        try:
            return run()
        except OperationalError as error:
            logger.warning("a job is tried again: %s", error)
            time.sleep(seconds)
    return run()


def resume(jobs: Sequence[int], run: Callable[[int], None]) -> int:
    """Run jobs that were left; one that fails is logged, stays, and keeps nobody else waiting."""
    for number in jobs:
        try:
            run(number)
        except Exception:
            logger.exception("job %s of %s failed, and stays", number, run.__module__)
    return len(jobs)
