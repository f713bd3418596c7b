"""The costs and the sites, as tables of the documentation."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.capacity.costs import Cost, Costs
from benchmarks.capacity.sites import Load, Prices
from benchmarks.capacity.stages import Stage, stages


def measured(costs: Costs) -> Iterator[str]:
    """What single steps took."""
    yield f"Measured ({costs.measured}):"
    yield ""
    yield "| step | Python, ms of a core | PostgreSQL, ms of a core | bytes of its log |"
    yield "| --- | --- | --- | --- |"
    steps = {
        "a save of a tracked row": costs.save,
        "its drain, alone": costs.drain,
        "one more activity in the same drain": costs.activity,
        "a follower's timeline": costs.follower,
        "a followed feed that a page merges": costs.pulled,
        "a follower's timeline on a Redis Cluster": costs.follower_on_cluster,
        "a page of 25, with its rows": costs.page,
    }
    yield from (_step(name, cost) for name, cost in steps.items())
    yield ""
    yield "| what is kept | bytes |"
    yield "| --- | --- |"
    kept = {
        "an activity, with its indexes and all that is kept of it": costs.activity_bytes,
        "an entry of a timeline, in PostgreSQL": costs.entry_bytes,
        "its log, when its page was not written since the last checkpoint": costs.wal_first_touch,
        "an entry of a timeline, in Redis": costs.redis_entry_bytes,
        "a follow, with its indexes": costs.follow_bytes,
        "memory of a process that serves pages": costs.process_bytes,
    }
    yield from (f"| {name} | {value:,.0f} |" for name, value in kept.items())


def _step(name: str, cost: Cost) -> str:
    return f"| {name} | {_figure(cost.python)} | {_figure(cost.database)} | {cost.wal:,.0f} |"


def site(load: Load, prices: Prices) -> Iterator[str]:
    """What a site of a size takes."""
    found = list(stages(load))
    yield f"### {load.of.users:,} users"
    yield ""
    yield " ".join(_story(found))
    yield ""
    yield "| in the busiest hour | computed |"
    yield "| --- | --- |"
    yield from (f"| {name} | {value} |" for name, value in _rows(found[-1], prices))


def _story(found: list[Stage]) -> Iterator[str]:
    for stage in found:
        if stage.ends:
            yield f"*{stage.name}* would take {' and '.join(stage.ends)}."
        else:
            yield f"**{stage.name}** does."
    if found[-1].ends:
        yield "**That is out of scope**: the record would have to be on several primaries."


def _rows(stage: Stage, prices: Prices) -> Iterator[tuple[str, str]]:
    load = stage.load
    yield "posts, pages, entries of timelines a second", _figures(load.posts, load.pages, load.entries)
    yield f"busy cores: {', '.join(load.busy)}", _figures(*load.busy.values())
    yield f"cores to be had, {load.hardware.utilisation:.0%} of them busy", f"{stage.cores:,}"
    yield "log of the primary, MB a second", f"{_figure(load.log_least)} to {_figure(load.log_most)}"
    yield "a post of whoever has most followers, by one worker", f"{_figure(load.largest_seconds)} s"
    days = f"GB after {load.days:.0f} days"
    yield f"{days}: record, timelines", _figures(load.record, load.timelines)
    yield f"days until {load.hardware.database_disk:,.0f} GB are full", _figure(load.full_after)
    yield "GB of memory: database, Redis with replicas", _figures(load.memory, load.redis_memory)
    yield "money a month", _figure(load.money(prices, stage.cores))


def _figures(*values: float) -> str:
    return ", ".join(map(_figure, values))


def _figure(value: float) -> str:
    """Two digits that count."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"
