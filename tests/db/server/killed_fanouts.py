"""Large fan-outs whose worker is killed after some chunks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db import connection

from django_stream.server.fanout import jobs
from django_stream.server.models import FanoutJob
from tests.plain_sql import plain

PROGRESS = f'UPDATE "{FanoutJob._meta.db_table}"'


class Killed(BaseException):
    """No `except Exception` stops it."""


def run_for(chunks: int, job_id: int) -> None:
    """Work on a fan-out until so many chunks are served, and die before the next one."""
    served = 0

    def serve_or_die(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal served
        if served == chunks and sql.startswith("SELECT"):
            raise Killed
        served += plain(sql).startswith(PROGRESS)
        return execute(sql, *rest)

    with connection.execute_wrapper(serve_or_die), suppress(Killed):
        jobs.run(job_id)
