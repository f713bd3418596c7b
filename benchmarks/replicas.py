"""Fifty readers and ten writers for a minute, on PostgreSQL with a replica: `python -m benchmarks.replicas`.

Starts a primary, a replica, Redis and a site of two processes by itself. Each visitor asks for a page, or
writes and looks for what they wrote, once in `--every` seconds on average. Ten more ask for a view that does
nothing, which tells what the machine and its other visitors make of any request. Exit status 1 if a target is
missed: the slowest hundredth of pages at most 5 times the median of an idle site, no errors, and everybody
finds what they wrote.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import django

from benchmarks import processors
from benchmarks.written import rewrite

if TYPE_CHECKING:
    from tests.scale.replicated import Browser, Site

READERS, WRITERS, WATCHERS = 50, 10, 10
PAGE, BARE = "a page of the site", "a view that does nothing"


@dataclass
class Seen:
    """What one visitor saw."""

    pages: list[float] = field(default_factory=list)
    """Seconds of each."""
    bare: list[float] = field(default_factory=list)
    """The same of views that do nothing."""
    writes: int = 0
    errors: int = 0
    missing: int = 0
    """Pages on which a writer did not find their own rows."""


def reads(browser: Browser, number: int, moments: Iterator[None]) -> Seen:
    seen, name = Seen(), f"writer{number % WRITERS}"
    for _ in moments:
        _counted(seen, lambda: seen.pages.append(_timed(lambda: browser.profile(name))))
    return seen


def watches(browser: Browser, moments: Iterator[None]) -> Seen:
    seen = Seen()
    for _ in moments:
        _counted(seen, lambda: seen.bare.append(_timed(browser.bare)))
    return seen


def writes(browser: Browser, number: int, moments: Iterator[None]) -> Seen:
    from tests.scale.replica_urls import SHOWN

    seen, titles, name = Seen(), ["before"] * SHOWN, f"writer{number}"
    for _ in moments:
        title = f"{len(titles)}"

        def write(title: str = title) -> None:
            browser.write(name, title)
            titles.insert(0, title)
            seen.missing += browser.profile(name, part="rows")[0] != titles[:SHOWN]
            seen.writes += 1

        _counted(seen, write)
    return seen


def paced(every: float, seconds: float) -> Iterator[None]:
    """Moments at random distances, as of people who do not know of each other."""
    end = time.monotonic() + seconds
    while (pause := random.expovariate(1 / every)) < end - time.monotonic():
        time.sleep(pause)
        yield


@dataclass
class Run:
    """A minute, and the idle site before it."""

    seconds: float
    idle: dict[str, float]
    """Milliseconds of what visitors ask for."""
    seen: list[Seen]
    busy: dict[str, float]
    """Shares of a core."""
    others: float
    """Processes of others that wanted to run before."""

    @property
    def rows(self) -> dict[str, tuple[float, float, float]]:
        """Idle, under load and the slowest hundredth, in milliseconds."""
        found = {PAGE: [one for each in self.seen for one in each.pages]}
        found[BARE] = [one for each in self.seen for one in each.bare]
        return {name: (self.idle[name], *_told(taken)) for name, taken in found.items()}

    @property
    def is_met(self) -> bool:
        idle, _, slowest = self.rows[PAGE]
        return slowest <= 5 * idle and not any(one.errors or one.missing for one in self.seen)

    def lines(self) -> Iterator[str]:
        """As a part of a page of the documentation."""
        seen, cores = self.seen, os.cpu_count()
        writes, errors, missing = (
            sum(getattr(one, what) for one in seen) for what in ("writes", "errors", "missing")
        )
        pages = sum(len(one.pages) for one in seen)
        yield f"{datetime.now(UTC):%Y-%m-%d}, {cores} cores with a load of {self.others:.0f} by others:"
        yield f"{pages} pages and {writes} writes in {self.seconds:.0f} s, {errors} errors,"
        yield f"{missing} pages without the writer's own rows."
        yield "Of a core: " + ", ".join(f"{name} {share:.0%}" for name, share in self.busy.items()) + "."
        yield ""
        yield "| ms | idle, median | under load, median | slowest hundredth | over idle (target 5x) |"
        yield "| --- | --- | --- | --- | --- |"
        for name, row in self.rows.items():
            yield f"| {name} | {' | '.join(f'{one:.1f}' for one in row)} | {row[2] / row[0]:.1f}x |"


def run(seconds: float, every: float) -> Run:
    from tests.scale.replicated import replicated_site

    others = os.getloadavg()[0]
    with replicated_site() as site:
        _fill(site)
        browser = site.browser()
        idle = {PAGE: _median(lambda: browser.profile("writer0")), BARE: _median(browser.bare)}
        before = _processors(site)
        seen = _together(site, seconds, every)
        busy = {name: (taken - before[name]) / seconds for name, taken in _processors(site).items()}
    return Run(seconds, {name: taken * 1000 for name, taken in idle.items()}, seen, busy, others)


def _fill(site: Site) -> None:
    """Full pages from the start: one that grew under load would be slow for that reason."""
    from tests.scale.replica_urls import SHOWN

    def fill(number: int) -> None:
        browser = site.browser()
        for _ in range(SHOWN):
            browser.write(f"writer{number}", "before")

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(fill, range(WRITERS)))
    site.replica.catch_up()


def _together(site: Site, seconds: float, every: float) -> list[Seen]:
    with ThreadPoolExecutor(READERS + WRITERS + WATCHERS) as pool:
        work = [
            *(pool.submit(reads, site.browser(), one, paced(every, seconds)) for one in range(READERS)),
            *(pool.submit(watches, site.browser(), paced(every, seconds)) for _ in range(WATCHERS)),
            *(pool.submit(writes, site.browser(), one, paced(every, seconds)) for one in range(WRITERS)),
        ]
        return [one.result() for one in work]


def _processors(site: Site) -> dict[str, float]:
    """Seconds that each has had so far."""
    programs = {"primary": site.primary.server, "replica": site.replica.server, "cache": site.cache.server}
    return {
        "visitors": time.process_time(),
        **{
            name: processors.seconds(program.pid)
            for name, program in {"site": site.program, **programs}.items()
        },
    }


def _median(ask: Callable[[], object]) -> float:
    return statistics.median(_timed(ask) for _ in range(100))


def _told(seconds: list[float]) -> tuple[float, float]:
    """The median and the slowest hundredth, in milliseconds."""
    ordered = sorted(seconds)
    return statistics.median(ordered) * 1000, ordered[len(ordered) * 99 // 100] * 1000


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _counted(seen: Seen, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:  # whatever it is, it counts
        seen.errors += 1
        print(error, file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two steps of a visitor")
    parser.add_argument("--write", type=Path, help="the page whose table of this is written anew")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    done = run(options.seconds, options.every)
    print("\n".join(done.lines()))
    if options.write:
        rewrite("replicas", done.lines(), options.write)
    return 0 if done.is_met else 1


if __name__ == "__main__":
    sys.exit(main())
