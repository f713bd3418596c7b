"""Time of the processor by who used it, which other work on the machine changes little."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

from benchmarks.capacity.costs import Cost

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


class Meter:
    """What the work inside of `with` blocks took, on a server of PostgreSQL that does nothing else."""

    def __init__(self) -> None:
        self.taken = Cost(0.0, 0.0)

    def __enter__(self) -> None:
        self._before = Cost(time.process_time() * 1000, _database_ms(), _log())

    def __exit__(self, *_: object) -> None:
        python = time.process_time() * 1000
        self.taken += Cost(python, _database_ms(), _log()) - self._before


def cost(work: Callable[[], object], times: int = 1) -> Cost:
    """Of one of so many in a row."""
    meter = Meter()
    with meter:
        for _ in range(times):
            work()
    return meter.taken * (1 / times)


def cost_after(before: Callable[[], object], work: Callable[[], object], times: int) -> Cost:
    """Of one of so many, each of which comes after something that does not count; nor does the meter."""
    meter, nothing = Meter(), Meter()
    for _ in range(times):
        before()
        with meter:
            work()
        with nothing:
            pass
    return (meter.taken - nothing.taken) * (1 / times)


def _database_ms() -> float:
    """Of all processes of the server; of those that have ended since, by ticks."""
    pids = [int(pid) for pid in _values("SELECT pid FROM pg_stat_activity")]
    (master,) = {_fields(pid)[1] for pid in pids} - {0}
    return sum(map(_running_ms, pids)) + sum(_fields(master)[13:15]) * _TICK_MS


def _running_ms(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    except FileNotFoundError:  # it has ended meanwhile
        return 0.0


def _fields(pid: int) -> list[int]:
    """Those of /proc/PID/stat from the third on; the second one may have spaces."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return [0] * 20
    return [int(one) if one.lstrip("-").isdecimal() else 0 for one in text.rpartition(")")[2].split()]


def _log() -> int:
    return int(_values("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")[0])


def process_bytes() -> int:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def database_bytes() -> int:
    """On the disk, with indexes: all tables of ours but the outbox, which is empty in the end."""
    return int(
        _values(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace "
            "AND relname LIKE 'django_stream%' AND relname NOT LIKE '%outbox%'"
        )[0]
    )


def table_bytes(*tables: str) -> int:
    """The same of these tables."""
    return sum(int(_values(f"SELECT pg_total_relation_size('{table}')")[0]) for table in tables)


def _values(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [value for (value,) in cursor.fetchall()]
