"""How the queues of Celery are doing, as far as our tasks go."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django_stream.conf import stream_settings
from django_stream.wakeup import has_workers

_OURS = "django_stream."


def waiting_messages(more: Collection[str] = ()) -> dict[str, int]:
    """How many messages no worker has taken yet, by the queues of our tasks and `more`; none without workers.

    What the broker raises is passed on. What a worker has taken and not begun does not count.
    """
    if stream_settings.WORKERS == "django" or not has_workers():
        return {}
    from celery import current_app

    with current_app.connection_for_write(connect_timeout=2) as connection:
        connection.ensure_connection(max_retries=1, timeout=2)
        return {name: _waiting(connection, name) for name in sorted({*_queues(current_app), *more})}


def _queues(app: Any) -> set[str]:
    app.loader.import_default_modules()
    routed = (app.amqp.router.route({}, name) for name in app.tasks if name.startswith(_OURS))
    named = (stream_settings.CELERY_QUEUE, stream_settings.CELERY_BULK_QUEUE)
    return {*(route["queue"].name for route in routed if "queue" in route), *filter(None, named)}


def _waiting(connection: Any, name: str) -> int:
    # Asking for a queue that is not there ends the channel, so each has one of its own.
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue=name, passive=True).message_count)
        except connection.channel_errors:
            return 0
