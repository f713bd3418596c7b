"""Where large fan-outs are worked off: by a Celery worker if there is one, else here and now."""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app

from django_stream.server.conf import server_settings

logger = logging.getLogger("django_stream.server")


def enqueue(job_id: int) -> None:
    """Hand a large fan-out on. A broker that is down costs a log line, and the work is done here."""
    from django_stream.server import tasks
    from django_stream.server.fanout.jobs import run

    if _celery_is_configured():
        try:
            queue = server_settings.FANOUT_QUEUE
            route: dict[str, Any] = {"queue": queue} if queue else {}
            tasks.fan_out.apply_async((job_id,), retry=False, **route)
        except Exception:  # each kind of broker has errors of its own
            logger.exception("fan-out %s could not be queued and is worked off inline", job_id)
        else:
            return
    run(job_id)


def _celery_is_configured() -> bool:
    conf = current_app.conf
    return bool(conf.task_always_eager or conf.broker_url or conf.broker_write_url)
