"""The simulated site: its clock, its queues, and what it measures of a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.simulation.model import Costs, Machine, Simulation
from benchmarks.simulation.population import Step, power_law
from benchmarks.written import rewrite

COSTS = Costs(saves=[0.01], pages=[0.02], batch=0.005, activity=0.001, follower=0.0001)

_MEASURES = """
from argparse import ArgumentParser
from benchmarks.databases import _measure
from benchmarks.simulation import site

def report(options):
    from celery import Celery
    from django_stream.publishing.models import OutboxEntry
    from django_stream.server.models import TimelineEntry

    Celery(broker="memory://").set_current()
    site._SAMPLES, site._FEW = 5, 3
    site.fill([7, 3, 0, 0, 0, 0, 0, 0])
    costs = site.measured([7, 3, 0, 0, 0, 0, 0, 0])
    assert len(costs.saves) == len(costs.pages) == len(costs.drains) == 5
    print(OutboxEntry.objects.count(), TimelineEntry.objects.exists())
    return True

raise SystemExit(_measure("benchmarks.simulation", ArgumentParser().parse_args(), report))
"""


def test_measuring_leaves_nothing_to_be_published_during_the_run(tmp_path: Path) -> None:
    """What it left would count as published so late as the run begins later."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURES],
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'measured.sqlite3'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "0 True\n", done.stderr[-2000:]


def test_a_post_waits_for_its_save_its_drain_and_each_follower() -> None:
    outcome = Simulation([Step(1.0, 0, is_post=True)], [100], COSTS, Machine(looks_every=0.0)).run()
    assert outcome.lags == pytest.approx([0.01 + 0.005 + 0.001 + 100 * 0.0001])
    assert outcome.load == pytest.approx(0.026 / 1.026)


def test_a_worker_that_finds_nothing_has_looked_all_the_same() -> None:
    costs = replace(COSTS, look=0.005, cores=0.5)
    steps = [Step(10.0, 0, is_post=False)]
    outcome = Simulation(steps, [0], costs, Machine(looks_every=0.02)).run()
    assert outcome.load == pytest.approx((0.02 + 10.02 * 0.005 / 0.025) * 0.5 / 10.02)


def test_who_comes_second_waits_for_the_first() -> None:
    steps = [Step(0.0, 0, is_post=False), Step(0.005, 0, is_post=False)]
    assert Simulation(steps, [0], COSTS, Machine()).run().pages == pytest.approx([0.02, 0.035])


def test_slow_steps_are_as_frequent_as_they_were_measured() -> None:
    """The slowest hundredth is told from the slowest that was measured, and not from the median."""
    costs = Costs(saves=[0.01], pages=[0.001] * 95 + [0.5] * 5, batch=0.0, activity=0.0, follower=0.0)
    steps = [Step(float(second), 0, is_post=False) for second in range(1000)]
    pages = sorted(Simulation(steps, [0], costs, Machine()).run().pages)
    assert pages[500] == pytest.approx(0.001)
    assert 20 <= sum(page > 0.4 for page in pages) <= 100


def test_followers_are_a_power_law() -> None:
    followers = power_law(1000, 5)
    assert followers[0] == pytest.approx(2 * followers[1], abs=1)
    assert sum(followers) == pytest.approx(5_000, rel=0.05)


def test_a_page_is_rewritten_between_its_marks_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- costs -->\nold\n<!-- end of costs -->\nafter\n")
    rewrite("costs", ["new"], page)
    rewrite("costs", ["newer"], page)
    assert page.read_text() == "before\n<!-- costs -->\n\nnewer\n\n<!-- end of costs -->\nafter\n"
    with pytest.raises(ValueError, match="no place for others"):
        rewrite("others", ["new"], page)
