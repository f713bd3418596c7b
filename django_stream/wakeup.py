"""Waking Celery workers: tasks are sent by name from a thread of their own, so no commit waits for a broker.

Both halves use it. It knows no task: callers give the name, the arguments and the queue. Where there are
no workers, the thread does what is too much for a request.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

from django.db import OperationalError, connection, connections

logger = logging.getLogger("django_stream.wakeup")

# A process that ends right after its commit waits this long for its last message to leave. What a broker that
# does not answer never gets is found by the schedule.
_EXIT_SECONDS = 2.0
# After it has sent something the thread rests: many commits in a row wake a worker so often, and not each.
_REST_SECONDS = 0.1
# Seconds before work that the database refused is done again. After them it waits for the schedule.
_PAUSES = (0.1, 0.5, 2.0, 5.0)


def celery_is_configured() -> bool:
    """Whether the project's Celery app names a broker, or runs tasks eagerly."""
    # A project that has an app of its own has imported Celery, which takes a tenth of a second.
    if "celery" not in sys.modules and not _celery_configures_itself():
        return False
    conf = _app().conf
    return bool(conf.task_always_eager or conf.broker_url or conf.broker_write_url)


def has_workers() -> bool:
    """Whether tasks go to workers by a broker; False means that the caller does the work itself."""
    return celery_is_configured() and not _app().conf.task_always_eager


@cache
def _celery_configures_itself() -> bool:
    """Whether Celery would find settings of its own without an app, in the environment or in its module."""
    return any(name.startswith("CELERY_") for name in os.environ) or find_spec("celeryconfig") is not None


def _app() -> Any:
    from celery import current_app

    return current_app


@dataclass(frozen=True, slots=True)
class Message:
    """One task to be sent. Equal messages that wait at the same time are sent once."""

    task: str
    args: tuple[Any, ...]
    queue: str | None
    countdown: float
    expires: float | None
    on_failure: Callable[[], object] | None = field(default=None, compare=False)
    schema: str | None = None
    """The tenant's, where django-tenants has one schema of the database for each."""

    def send(self) -> None:
        """Give the task to the broker; when that fails, log it and call `on_failure`."""
        app = _app()
        try:
            with app.producer_or_acquire() as producer:
                # Sending connects by itself, and then tries for long: a broker that is down may come back.
                producer.connection.ensure_connection(max_retries=0)
                options: dict[str, Any] = {"countdown": self.countdown, "retry": False, "ignore_result": True}
                if self.expires is not None:
                    options["expires"] = self.expires
                app.send_task(self.task, self.args, producer=producer, **options, **self._route())
        except Exception as error:  # each kind of broker has errors of its own
            # One line for each change, and no traceback: the same would stand there each time.
            logger.error("task %s%r could not be sent to the broker: %s", self.task, self.args, error)
            if self.on_failure is not None:
                Work(self.task, self.args, self.on_failure, self.schema).send()

    def _route(self) -> dict[str, Any]:
        route: dict[str, Any] = {"queue": self.queue} if self.queue else {}
        # tenant-schemas-celery reads it; without it, it would take the schema of the waker's connection.
        return route | {"headers": {"_schema_name": self.schema}} if self.schema else route


@dataclass(frozen=True, slots=True)
class Work:
    """A function for the waker's thread. Equal ones that wait at the same time are called once."""

    name: str
    args: tuple[Any, ...]
    function: Callable[[], object] = field(compare=False)
    schema: str | None = None

    def send(self) -> None:
        """Call the function; a failure is logged."""
        try:
            if self.schema:
                connection.set_schema(self.schema)  # type: ignore[attr-defined]
            self.function()
        except Exception:
            logger.exception("%s%r failed in the background", self.name, self.args)
        finally:
            connections.close_all()  # those of this thread


def send_now(
    task: str, args: tuple[Any, ...], *, queue: str | None, on_failure: Callable[[], object] | None
) -> None:
    """Give a task to the broker before this returns; where it does not take it, call `on_failure` here.

    For workers, which have the time, and which may be killed as soon as their task is done.
    """
    Message(task, args, queue, 0.0, None, on_failure, _schema()).send()


def _schema() -> str | None:
    return getattr(connection, "schema_name", None)


class Waker:
    """Sends messages from its own thread, in the order in which they were given."""

    def __init__(self) -> None:
        self._start_afresh()
        atexit.register(self.flush, _EXIT_SECONDS)
        if hasattr(os, "register_at_fork"):
            # Threads do not survive a fork, and what waits is the parent's.
            os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Message | Work, float] = {}
        self._sending = self._resting = False
        self._flushing = 0
        self._thread: threading.Thread | None = None

    def send(
        self,
        task: str,
        args: tuple[Any, ...] = (),
        *,
        queue: str | None = None,
        countdown: float = 0.0,
        expires: float | None = None,
        on_failure: Callable[[], object] | None = None,
    ) -> None:
        """Have a task sent soon. Never waits for the broker, never raises.

        `args` must be hashable and have a JSON form; `queue` None is Celery's default queue; `countdown`
        is in seconds, and so is `expires`, after which no worker need do it any more. `on_failure` is called
        in the waker's thread when the broker does not take the task.
        """
        self._add(Message(task, args, queue, countdown, expires, on_failure, _schema()))

    def call(
        self, name: str, args: tuple[Any, ...], function: Callable[[], object], *, delay: float = 0.0
    ) -> None:
        """Have a function called soon, in the waker's thread; `name` and `args` say which one. Never raises.

        It must be able to be left undone: the process may end before its turn comes. `delay` is in seconds.
        """
        self._add(Work(name, args, function, _schema()), delay)

    def call_in_steps(
        self, name: str, args: tuple[Any, ...], step: Callable[[], bool], *, rest: float = 0.0
    ) -> None:
        """Likewise, until the function returns False: what else waits has its turn after each step.

        A step that the database refuses for a moment is done again a few times: SQLite refuses one of two
        writers, and requests may hold what it needs. The next one begins `rest` seconds after the one before.
        """
        self.call(name, args, partial(self._step, name, args, step, rest, 0))

    def _step(
        self, name: str, args: tuple[Any, ...], step: Callable[[], bool], rest: float, failures: int
    ) -> None:
        try:
            is_unfinished = step()
        except OperationalError as error:
            if failures == len(_PAUSES):
                raise
            logger.warning("%s%r is tried again: %s", name, args, error)
            again = partial(self._step, name, args, step, rest, failures + 1)
            self.call(name, args, again, delay=_PAUSES[failures])
        else:
            if is_unfinished:
                self.call(name, args, partial(self._step, name, args, step, rest, 0), delay=rest)

    def _add(self, message: Message | Work, delay: float = 0.0) -> None:
        due = time.monotonic() + delay
        with self._changed:
            if due < self._waiting.get(message, math.inf):
                self._waiting[message] = due
                # Who rests looks by itself: waking the thread for each commit costs more than its messages.
                if not self._resting:
                    self._changed.notify_all()
            try:
                self._ensure_thread()
            except RuntimeError:  # too many threads, or the interpreter is shutting down
                logger.exception("no thread could be started: %s waits for the next message", message)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until every message has been sent or has failed; False when `timeout` seconds were too few."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout)
            finally:
                self._flushing -= 1

    def _ensure_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="django_stream.waker", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (messages := self._due()):
                    self._changed.wait(self._seconds_left())
                self._sending = True
            for message in messages:
                message.send()
            with self._changed:
                self._sending = False
                self._changed.notify_all()
                if any(isinstance(message, Message) for message in messages):
                    self._resting = True
                    self._changed.wait_for(lambda: self._flushing > 0, _REST_SECONDS)
                    self._resting = False

    def _due(self) -> list[Message | Work]:
        """What is to be done now, taken from what waits."""
        now = time.monotonic()
        found = [message for message, due in self._waiting.items() if due <= now]
        for message in found:
            del self._waiting[message]
        return found

    def _seconds_left(self) -> float | None:
        return max(min(self._waiting.values()) - time.monotonic(), 0.0) if self._waiting else None


waker = Waker()
"""The one waker of this process."""
