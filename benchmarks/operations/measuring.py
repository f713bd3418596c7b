"""The measurements; seconds are those of this process's own work, which a loaded machine does not stretch."""

from __future__ import annotations

import resource
import time

from benchmarks.operations.filling import drift, fill_feeds, fill_tables
from benchmarks.publishing.models import Tracked
from django_stream.operations.verify import verify as compare
from django_stream.publishing.publisher import publishers

Figures = dict[str, float]


def verify(rows: int, authors: int) -> Figures:
    """Of matching feeds, and then of feeds with a hundred planted differences."""
    fill_tables(rows, authors)
    fill_feeds()
    mine = [one for one in publishers() if one.label == Tracked._meta.label]
    list(compare(mine, sample=10))  # what is imported and cached once is no cost of rows
    before, begin, began = _peak(), time.process_time(), time.perf_counter()
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


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
