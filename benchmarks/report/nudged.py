"""What waking a worker adds to a commit, with a broker: on the database of DATABASE_URL.

The broker is the one that CELERY_BROKER_URL names, else RabbitMQ on its usual port. Without one, no row.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.report.rows import tell_rows

SAVES = 100


def rows(rounds: int) -> Iterator:  # type: ignore[type-arg]
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    from benchmarks.publishing.models import Tracked
    from benchmarks.report.rows import Row, in_turns, timed
    from django_stream.publishing.nudge import nudges_held
    from django_stream.wakeup import waker

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)
    if connection.vendor == "postgresql":  # the disk's time is in both, and jumps by more than is measured
        connection.cursor().execute("SET synchronous_commit TO off")
    user = User.objects.create(username=f"user-{uuid.uuid4()}")

    def save() -> None:
        Tracked.objects.create(user=user, title="x", text="x")

    nudged = timed(save, SAVES)

    def held() -> float:
        waker.flush()
        with nudges_held():
            return nudged()

    with broker_queue() as messages:
        if messages is None:
            print("no broker: what a nudge costs is not measured", file=sys.stderr)
            return
        save()
        waker.flush()
        before, sent = busy_seconds(), messages()
        found = in_turns({"nudged": nudged, "held": held}, rounds)
        waker.flush()
        saves = SAVES * (rounds + 1)
        busy, sent = (busy_seconds() - before) * 1000 / saves, messages() - sent
    yield Row("a nudge, which a save with a broker waits for", max(found["nudged"] - found["held"], 0.0), 0.3)
    yield Row("a nudge, in its thread, for each save", busy, 0.1)
    yield Row(f"{saves:,} saves in a row that no worker reads", float(sent), saves / 10, "messages")


@contextmanager
def broker_queue() -> Iterator[Any]:
    """A queue of ours that no worker reads; gives what says how many messages wait there, or None."""
    from celery import Celery
    from django.test import override_settings

    url = os.environ.get("CELERY_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//")
    app = Celery("measured", broker=url)
    app.set_default()
    name = f"measured-{uuid.uuid4().hex[:8]}"
    try:
        connection = app.connection_for_write()
        connection.ensure_connection(max_retries=1)
    except Exception:  # each kind of broker has errors of its own
        yield None
        return
    queue = connection.SimpleQueue(name)
    try:
        with override_settings(STREAM_CELERY_QUEUE=name):
            yield queue.qsize
    finally:
        queue.queue.delete()
        connection.close()


def busy_seconds() -> float:
    """How long the waker's thread has had the processor."""
    thread = next(one for one in threading.enumerate() if one.name == "django_stream.waker")
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


if __name__ == "__main__":
    tell_rows("benchmarks.publishing.settings", rows)
