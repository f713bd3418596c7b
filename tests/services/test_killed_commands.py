"""Commands that work on whole tables, killed with -9 at random points, end with exactly the right feeds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.services.processes import ROOT

pytestmark = pytest.mark.services
NEVER = "1000000"
KILLS = 20


class Site:
    """The test project on a database of its own, one process after the other."""

    def __init__(self, url: str) -> None:
        self._environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.services.killed_settings",
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-m", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False
        )

    def done(self, *words: str) -> str:
        ended = self.run(*words)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def differences(self) -> dict[str, Any]:
        counts: dict[str, Any] = json.loads(self.done("tests.services.comparison").splitlines()[-1])
        return counts


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/site.sqlite3"
    else:
        cluster, name = request.getfixturevalue("postgres"), f"killed_{uuid4().hex[:8]}"
        cluster.create(name)
        url = cluster.url(name)
    site = Site(url)
    site.done("django", "migrate", "--verbosity", "0")
    site.done("tests.services.killed", "fill")
    return site


def killed_at_random_points(site: Site, choose: Callable[[], int], *command: str) -> int:
    """Killed again and again, each run beginning where the last one was; returns how often."""
    kills = 0
    for _ in range(6):
        ended = site.run("tests.services.killed", str(choose()), *command)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr
        kills += 1
    return kills


def test_whatever_is_killed_the_feeds_are_right_in_the_end(site: Site) -> None:
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    kills = 0
    for command in ("stream_backfill", "stream_sync"):
        kills += killed_at_random_points(site, lambda: chance.randint(10, 120), command, "--resume")
        site.done("tests.services.killed", NEVER, command, "--resume")
    site.done("tests.services.killed", "later")
    assert site.differences()["differences"] == 0, f"seed {seed}"

    rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds < KILLS, f"seed {seed}: hardly ever killed"
        site.done("tests.services.killed", "drift")
        kills += killed_at_random_points(site, lambda: chance.randint(60, 500), "stream_repair", "--resume")
        site.done("tests.services.killed", NEVER, "stream_repair", "--resume")
    site.done("tests.services.killed", "later")
    site.done("tests.services.killed", NEVER, "stream_repair")
    assert site.differences()["differences"] == 0, f"seed {seed}"

    # A second run changes nothing.
    for command in ("stream_backfill", "stream_sync"):
        told = json.loads(site.done("tests.services.killed", NEVER, command).splitlines()[-1])
        assert told["sent"] == 0
    told = json.loads(site.done("tests.services.killed", NEVER, "stream_repair").splitlines()[-1])
    assert told["differences"] == {}
