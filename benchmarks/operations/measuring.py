"""The measurements; seconds are those of this process's own work, which a loaded machine does not stretch."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.test.utils import override_settings

from benchmarks.operations.filling import drift, fill_feeds, fill_follows, fill_tables
from benchmarks.operations.models import Subscription
from benchmarks.publishing.models import Tracked
from benchmarks.publishing.stub import Stub
from django_stream.operations.backfill import Options, backfill
from django_stream.operations.selection import Selection
from django_stream.operations.verify import verify as compare
from django_stream.publishing.models import Publication
from django_stream.publishing.publisher import Publisher, publishers

Figures = dict[str, float]


def memory(rows: int, authors: int) -> Figures:
    """What the process takes more while it publishes so many activities and follows, and compares them."""
    fill_tables(rows, authors)
    fill_follows(rows, authors)
    activities, follows = (_publisher(model._meta.label) for model in (Tracked, Subscription))
    some = Selection(where={"pk__lt": str(Tracked.objects.order_by("pk")[200].pk)})
    backfill("stream_backfill", activities, Options(selection=some), _nothing)
    list(compare([activities, follows], sample=10))
    works: dict[str, Callable[[], object]] = {
        "backfill": lambda: backfill("stream_backfill", activities, Options(), _nothing),
        "sync": lambda: backfill("stream_sync", follows, Options(), _nothing),
        "verify": lambda: sum(1 for _ in compare([activities, follows])),
    }
    figures: Figures = {}
    for name, work in works.items():
        before, began = _peak_from_now(), time.process_time()
        work()
        figures[f"{name}, seconds of its own"] = time.process_time() - began
        figures[f"{name}, MB more"] = _peak() - before
    figures["differences after it"] = sum(1 for _ in compare([activities, follows]))
    return figures


def latency(rows: int, authors: int) -> Figures:
    """What a backfill takes longer when each answer of the API takes 60 ms, with eight requests under way."""
    fill_tables(rows, authors)
    activities = _publisher(Tracked._meta.label)
    figures: Figures = {}
    with override_settings(STREAM_TRANSPORT=f"{Stub.__module__}.{Stub.__qualname__}"):
        for Stub.latency in (0.0, 0.06):
            Publication.objects.all().delete()
            began = time.perf_counter()
            backfill("stream_backfill", activities, Options(jobs=8), _nothing)
            figures[f"seconds at {Stub.latency * 1000:.0f} ms"] = time.perf_counter() - began
    quick, slow = figures.values()
    return {**figures, "seconds more": slow - quick}


def _nothing(report: object) -> None:
    pass


def _publisher(label: str) -> Publisher:
    (found,) = (one for one in publishers() if one.label.partition("#")[0] == label)
    return found


def verify(rows: int, authors: int) -> Figures:
    """Of matching feeds, and then of feeds with a hundred planted differences."""
    fill_tables(rows, authors)
    fill_feeds()
    mine = [one for one in publishers() if one.label == Tracked._meta.label]
    list(compare(mine, sample=10))  # what is imported and cached once is no cost of rows
    before, begin, began = _peak_from_now(), time.process_time(), time.perf_counter()
    assert list(compare(mine)) == []
    figures = {
        "seconds": time.perf_counter() - began,
        "seconds of its own": (own := time.process_time() - begin),
        "seconds of a million rows": own / rows * 1_000_000,
        "MB more": _peak() - before,
    }
    planted = drift(rows)
    found = {(one.kind, one.key) for one in compare(mine)}
    figures["planted differences that are not found"] = len(planted - found)
    figures["differences that nobody has planted"] = len(found - planted)
    assert found == planted
    return figures


def _peak_from_now() -> float:
    """Forget the highest use so far, where the system can, and answer the present one."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
