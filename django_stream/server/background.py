"""Work that is too much for a request: its job is written with the change, and run after the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Kind:
    """Jobs of one table, done by one task."""

    model: type[models.Model]
    step: Callable[[int], bool]
    name: str
    """The field by which a job is known."""

    def left(self, seconds: float) -> list[int]:
        """Those that nobody has touched for so long."""
        cutoff = timezone.now() - timedelta(seconds=seconds)
        idle = self._jobs().filter(touched_at__lte=cutoff)
        return list(idle.values_list(self.name, flat=True))

    def touch(self, job_id: int) -> None:
        self._jobs().filter(**{self.name: job_id}).update(touched_at=timezone.now())

    def _jobs(self) -> models.QuerySet[models.Model]:
        return self.model._default_manager.using(database())


_kinds: dict[str, _Kind] = {}


def register(task: str, model: type[models.Model], step: Callable[[int], bool], *, name: str = "pk") -> None:
    """Name a kind of jobs: their table, what does a step of one, and the field by which it is known."""
    _kinds[task] = _Kind(model, step, name)


def idle_jobs(seconds: float) -> int:
    """How many jobs nobody has touched for so long, of all applications."""
    return sum(len(kind.left(seconds)) for kind in _kinds.values())


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
    step = _kinds[task].step
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
    for task, kind in _kinds.items():
        for job_id in kind.left(_IDLE_SECONDS):
            waker.call_in_steps(task, (job_id,), partial(kind.step, job_id), rest=_rest())


def resume(task: str, idle_seconds: float) -> int:
    """Do the jobs of a kind that nobody has touched for so long, to their end; how many there were.

    One that fails is logged, stays, and keeps nobody else waiting.
    """
    kind = _kinds[task]
    jobs = kind.left(idle_seconds)
    for job_id in jobs:
        try:
            _to_its_end(kind.step, job_id)
        except Exception:
            logger.exception("job %s of %s failed, and stays", job_id, task)
    return len(jobs)


def hand_on_left(idle_seconds: float) -> None:
    """Give the queue the jobs of all kinds that nobody has touched for so long; without workers, do them.

    A queue that is so far behind has them already. So each counts as touched by this, and is given once in
    `idle_seconds`: a job in the queue twice is done as one whose task came twice.
    """
    for task, kind in _kinds.items():
        if not has_workers():
            resume(task, idle_seconds)
            continue
        for job_id in kind.left(idle_seconds):
            kind.touch(job_id)
            # Where the broker does not take it, the next round does.
            send_now(task, (job_id,), queue=server_settings.FANOUT_QUEUE, on_failure=None)
