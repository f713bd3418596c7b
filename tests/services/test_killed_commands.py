"""Commands that work on whole tables, killed with -9 at random points, end with exactly the right feeds."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from tests.person import KEY
from tests.services.postgres import Postgres
from tests.services.processes import ROOT

pytestmark = pytest.mark.services
NEVER = "1000000"
KILLS = 20
STATEMENTS = 900
"""About as many as an erasure takes."""


class Ended(NamedTuple):
    """How a process ended, and what it has printed."""

    returncode: int
    output: str


class State(NamedTuple):
    """A database, and a folder of files."""

    database: str
    media: Path


class Site:
    """The test project on a database of its own, one process after the other."""

    def __init__(self, folder: Path, cluster: Postgres | None, **environment: str) -> None:
        self._folder, self._cluster = folder, cluster
        self._media = folder / "media"
        self._database = self._new_database()
        url = cluster.url(self._database) if cluster else f"sqlite:///{self._database}"
        given = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.services.killed_settings"}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.services.killed"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **given, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.done("migrate")

    def run(self, *words: str) -> Ended:
        output = self._folder / "output"
        order = {"words": words, "output": str(output), "database": self._database, "media": str(self._media)}
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return Ended(int(self._process.stdout.readline()), output.read_text())

    def done(self, *words: str) -> str:
        ended = self.run(*words)
        assert ended.returncode == 0, ended.output
        return ended.output

    def told(self, *words: str) -> Any:
        """The last line of what it printed."""
        return json.loads(self.done(*words).splitlines()[-1])

    @property
    def state(self) -> State:
        """Where its rows and its files are."""
        return State(self._database, self._media)

    def go_on_with_a_copy_of(self, state: State) -> None:
        if self._cluster:
            self._database = self._new_database(template=state.database)
        else:
            self._database = shutil.copy(state.database, self._new_database())
        self._media = shutil.copytree(state.media, self._folder / uuid4().hex)

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _new_database(self, **template: str) -> str:
        name = f"killed_{uuid4().hex[:8]}"
        if not self._cluster:
            return str(self._folder / f"{name}.sqlite3")
        self._cluster.create(name, **template)
        return name


MakeSite = Callable[..., Site]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeSite]:
    cluster = None if request.param == "sqlite" else request.getfixturevalue("postgres")
    sites: list[Site] = []

    def make(**environment: str) -> Site:
        sites.append(Site(tmp_path, cluster, **environment))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


def killed_at_random_points(site: Site, choose: Callable[[], int], *command: str) -> int:
    """Killed again and again, each run beginning where the last one was; returns how often."""
    kills = 0
    for _ in range(6):
        ended = site.run(str(choose()), *command)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.output
        kills += 1
    return kills


def test_whatever_is_killed_the_feeds_are_right_in_the_end(make_site: MakeSite) -> None:
    site = make_site()
    site.done("fill")
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    kills = 0
    for command in ("stream_backfill", "stream_sync"):
        kills += killed_at_random_points(site, lambda: chance.randint(10, 120), command, "--resume")
        site.done(NEVER, command, "--resume")
    site.done("later")
    assert site.told("compare")["differences"] == 0, f"seed {seed}"

    rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds < KILLS, f"seed {seed}: hardly ever killed"
        site.done("drift")
        kills += killed_at_random_points(site, lambda: chance.randint(60, 500), "stream_repair", "--resume")
        site.done(NEVER, "stream_repair", "--resume")
    site.done("later")
    site.done(NEVER, "stream_repair")
    assert site.told("compare")["differences"] == 0, f"seed {seed}"

    # A second run changes nothing.
    for command in ("stream_backfill", "stream_sync"):
        assert site.told(NEVER, command)["sent"] == 0
    assert site.told(NEVER, "stream_repair")["differences"] == {}


def test_an_erasure_that_is_killed_ends_clean_when_it_is_begun_again(make_site: MakeSite) -> None:
    site = make_site(KILLED_WITH_STREAMS="1")
    site.done("person")
    assert site.told("search") != []
    before = site.state
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    kills = rounds = 0
    erase = ("stream_person", "erase", str(KEY))
    while kills < KILLS / 2:
        rounds += 1
        assert rounds < KILLS, f"seed {seed}: hardly ever killed"
        site.go_on_with_a_copy_of(before)
        kills += killed_at_random_points(site, lambda: chance.randint(1, STATEMENTS), *erase)
        ended = site.run(NEVER, *erase)
        assert ended.returncode == 0, f"seed {seed}: {ended.output}"
        told = [json.loads(line) for line in ended.output.splitlines()]
        listed = {line["stays"].partition(".")[0] for line in told if "stays" in line}
        assert set(site.told("search")) <= listed, f"seed {seed}"
