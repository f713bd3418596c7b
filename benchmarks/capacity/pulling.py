"""From how many posts a day on an author is cheaper pulled than pushed.

Both cost so much for each follower, so that the number of followers says nothing: what counts is how often
one posts, and how often the others read.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.capacity.costs import Costs
from benchmarks.capacity.sites import Prices

_MS_PER_HOUR = 3_600_000.0
_PAGES = (0.2, 2.0, 20.0)


def pays_from(pages: float, costs: Costs, prices: Prices, months: float = 0.0) -> float:
    """Posts a day, where each follower reads so many pages a day and entries are kept for so many months."""
    core = prices.core_hour / _MS_PER_HOUR
    pushed = (costs.follower.python + costs.follower.database) * core
    pushed += 2 * costs.entry_bytes / 1e9 * prices.disk_gb_month * months
    # What the difference of two measurements has in Python is within their error.
    return pages * max(costs.pulled.database, 0.0) * core / pushed


def table(costs: Costs, prices: Prices) -> Iterator[str]:
    """For readers of three kinds."""
    yield (
        "| each follower reads, pages a day | pulling pays from, posts a day: processor alone "
        "| with a year on the disk |"
    )
    yield "| --- | --- | --- |"
    for pages in _PAGES:
        alone, kept = (pays_from(pages, costs, prices, months) for months in (0.0, 12.0))
        yield f"| {pages:g} | {alone:.2g} | {kept:.2g} |"
