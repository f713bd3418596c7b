"""Which engines a load needs, and why the stage before ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.capacity.sites import Load

# So long the followers of whoever has most of them may wait, while one worker writes.
_LARGEST_SECONDS = 600.0


@dataclass(frozen=True)
class Stage:
    """Engines with which the load can be carried, or not."""

    name: str
    load: Load
    ends: tuple[str, ...]
    """Why it does not do; empty where it does."""
    cores: int
    """To be had."""


def stages(load: Load) -> Iterator[Stage]:
    """From one machine on, up to the first that does."""
    for stage in _all(load):
        yield stage
        if not stage.ends:
            return


def _all(load: Load) -> Iterator[Stage]:
    whole = max(load.cores(sum(load.busy.values())), 2)
    ends = _ends(load, load.writes + load.reads)
    small = [f"{whole} cores"] if whole > load.hardware.machine_cores else []
    yield Stage("One machine with everything", load, (*small, *ends), whole)
    yield Stage("One PostgreSQL, web processes and workers apart", load, ends, load.cores_apart)
    yield Stage("PostgreSQL with read replicas", load, _ends(load, load.writes), load.cores_apart)
    most = load.of.push_followers_max()
    name = f"The same with `STREAM_SERVER_PUSH_FOLLOWERS_MAX = {most:_}`"
    hybrid = replace(load, push_followers_max=most)
    yield Stage(name, hybrid, _ends(hybrid, hybrid.writes), hybrid.cores_apart)
    name = "PostgreSQL with read replicas and timelines on a Redis Cluster"
    cluster = replace(load, on_cluster=True)
    yield Stage(name, cluster, _ends(cluster, cluster.writes), cluster.cores_apart)


def _ends(load: Load, database: float) -> tuple[str, ...]:
    """What of one primary is not enough."""
    hardware, found = load.hardware, []
    if load.cores(database) > hardware.database_cores:
        found.append(f"{load.cores(database)} cores of the database")
    if load.record + load.timelines > hardware.database_disk:
        found.append(f"{load.record + load.timelines:,.0f} GB on its disk after {load.days:.0f} days")
    if load.log_most > hardware.database_log:
        found.append(f"up to {load.log_most:,.0f} MB a second of its log")
    if load.largest_seconds > _LARGEST_SECONDS and not load.on_cluster:
        found.append(f"{load.largest_seconds / 60:,.0f} minutes of one worker for the largest following")
    return tuple(found)
