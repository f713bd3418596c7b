"""Work that is too much for a request: its job is written with the change, and run after the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from django.db import models
from django.utils import timezone

from django_stream.database.commits import call_after_commit
from django_stream.database.requests import others_wait
from django_stream.database.statements import Database
from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database
from django_stream.server.models import Feed
from django_stream.wakeup import has_workers, send_now, waker

logger = logging.getLogger("django_stream.server")

# Seconds after which a job that nobody has touched counts as left behind, by a process that ended.
_IDLE_SECONDS = 300.0
# So often at least a writer that waits for SQLite looks again.
_LOOKED_FOR_SECONDS = 0.1
_left: dict[str, tuple[Callable[[float], list[int]], Callable[[int], bool]]] = {}


def register(task: str, left: Callable[[float], list[int]], step: Callable[[int], bool]) -> None:
    """Name a kind of jobs: which nobody has touched for so many seconds, and a step of one."""
    _left[task] = left, step


def idle_jobs(seconds: float) -> int:
    """How many jobs nobody has touched for so long, of all applications."""
    return sum(len(left(seconds)) for left, _ in _left.values())


def on_commit(task: str, step: Callable[[int], bool], job_id: int) -> None:
    """After the commit, have a worker run a job by the task of this name: all its steps, until one is False.

    Without their broker, or without workers, a thread of this process runs it: no request waits for it, and
    no drain. What else is no request has the time, and may end with its last line: there it is run there and
    then.
    """
    call_after_commit(database(), _hand_on, task, step, job_id)


def _hand_on(task: str, step: Callable[[int], bool], job_id: int) -> None:
    here = partial(waker.call_in_steps, task, (job_id,), partial(step, job_id), rest=_rest())
    if has_workers():
        waker.send(task, (job_id,), queue=server_settings.FANOUT_QUEUE, on_failure=here)
    elif others_wait():
        here()
        waker.call("jobs that were left", (), _resume_here)
    else:
        _to_its_end(step, job_id)


def _rest() -> float:
    """Seconds between two steps of the thread.

    Where one writer has the whole database, the others look for it from time to time, and would find it in
    the hands of the same one each time.
    """
    has_row_locks = bool(Database.to_write(Feed).dialect.lock())
    return 0.0 if has_row_locks else max(server_settings.FANOUT_STEP_SECONDS, _LOOKED_FOR_SECONDS)


def in_turns(task: str, job_id: int) -> None:
    """A worker's part of a job: one step, and the next one waits behind what the queue has by then.

    So many large jobs take turns with each other and with what is small, on any number of workers.
    """
    _, step = _left[task]
    if not has_workers():
        _to_its_end(step, job_id)
    elif step(job_id):
        rest = partial(_to_its_end, step, job_id)
        send_now(task, (job_id,), queue=server_settings.FANOUT_QUEUE, on_failure=rest)


def _to_its_end(step: Callable[[int], bool], job_id: int) -> None:
    while step(job_id):
        pass


def _resume_here() -> None:
    """Where no worker and perhaps no schedule is: what a process that ended has left goes on in this one."""
    for task, (left, step) in _left.items():
        for job_id in left(_IDLE_SECONDS):
            waker.call_in_steps(task, (job_id,), partial(step, job_id), rest=_rest())


def untouched(model: type[models.Model], idle_seconds: float, *, name: str = "pk") -> list[int]:
    """The numbers of a kind's jobs that nobody has touched for so long; `name` is the field that has them."""
    cutoff = timezone.now() - timedelta(seconds=idle_seconds)
    jobs = model._default_manager.using(database()).filter(touched_at__lte=cutoff)
    return list(jobs.values_list(name, flat=True))


def resume(jobs: Sequence[int], run: Callable[[int], None]) -> int:
    """Run jobs that were left; one that fails is logged, stays, and keeps nobody else waiting."""
    for number in jobs:
        try:
            run(number)
        except Exception:
            logger.exception("job %s of %s failed, and stays", number, run.__module__)
    return len(jobs)
