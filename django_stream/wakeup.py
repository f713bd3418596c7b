"""Waking Celery workers: tasks are sent by name from a thread of their own, so no commit waits for a broker.

Both halves use it. It knows no task: callers give the name, the arguments and the queue.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from celery import current_app
from django.db import connections

logger = logging.getLogger("django_stream.wakeup")

# A process that ends right after its commit waits this long for its last message to leave.
_EXIT_SECONDS = 5.0


def celery_is_configured() -> bool:
    """Whether the project's Celery app names a broker, or runs tasks eagerly."""
    conf = current_app.conf
    return bool(conf.task_always_eager or conf.broker_url or conf.broker_write_url)


def has_workers() -> bool:
    """Whether tasks go to workers by a broker; False means that the caller does the work itself."""
    return celery_is_configured() and not current_app.conf.task_always_eager


@dataclass(frozen=True, slots=True)
class Message:
    """One task to be sent. Equal messages that wait at the same time are sent once."""

    task: str
    args: tuple[Any, ...]
    queue: str | None
    countdown: float
    on_failure: Callable[[], object] | None = field(default=None, compare=False)

    def send(self) -> None:
        """Give the task to the broker; when that fails, log it and call `on_failure`."""
        route: dict[str, Any] = {"queue": self.queue} if self.queue else {}
        try:
            current_app.send_task(
                self.task, self.args, countdown=self.countdown, retry=False, ignore_result=True, **route
            )
        except Exception:  # each kind of broker has errors of its own
            logger.exception("task %s%r could not be sent to the broker", self.task, self.args)
            self._fall_back()

    def _fall_back(self) -> None:
        if self.on_failure is None:
            return
        try:
            self.on_failure()
        except Exception:
            logger.exception("what replaces task %s%r failed as well", self.task, self.args)
        finally:
            connections.close_all()  # those of this thread


class Waker:
    """Sends messages from its own thread, in the order in which they were given."""

    def __init__(self) -> None:
        self._start_afresh()
        atexit.register(self.flush, _EXIT_SECONDS)

    def _start_afresh(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Message, None] = {}
        self._sending = False
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None

    def send(
        self,
        task: str,
        args: tuple[Any, ...] = (),
        *,
        queue: str | None = None,
        countdown: float = 0.0,
        on_failure: Callable[[], object] | None = None,
    ) -> None:
        """Have a task sent soon. Never waits for the broker, never raises.

        `args` must be hashable and have a JSON form; `queue` None is Celery's default queue; `countdown`
        is in seconds. `on_failure` is called in the waker's thread when the broker does not take the task.
        """
        if self._pid != os.getpid():
            self._start_afresh()  # threads do not survive a fork
        with self._changed:
            self._waiting.setdefault(Message(task, args, queue, countdown, on_failure))
            self._changed.notify_all()
            try:
                self._ensure_thread()
            except RuntimeError:  # too many threads, or the interpreter is shutting down
                logger.exception("no thread could be started: %s waits for the next message", task)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until every message has been sent or has failed; False when `timeout` seconds were too few."""
        if self._pid != os.getpid():
            return True
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout)

    def _ensure_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="django_stream.waker", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                messages = list(self._waiting)
                self._waiting.clear()
                self._sending = True
            for message in messages:
                message.send()
            with self._changed:
                self._sending = False
                self._changed.notify_all()


waker = Waker()
"""The one waker of this process."""
