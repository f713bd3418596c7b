"""A plugin of pytest for .ci/mutants.py, in a copy of the project that mutmut has changed.

With MUTANTS_SEEN it notes which functions each test runs, but for tests that fail in the copy as it is.
With MUTANTS_PLAN it tries the mutants of a plan: each in a fork of a process that has collected the tests and
made the database, so that a mutant costs what its tests cost.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

# Of the processor; whoever waits longer than the second for anything is stuck.
CPU_SECONDS = 240
SECONDS = 1800


class Noting:
    """Appends a line for each test that passes, one file for each worker."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._known = {json.loads(line)["test"] for file in folder.glob("*.jsonl") for line in file.open()}
        self._file = (folder / f"{worker}.jsonl").open("a")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What was noted before a run broke off is not run again."""
        items[:] = [item for item in items if item.nodeid not in self._known]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        run = state()._stats  # noqa: SLF001 - mutmut keeps there what a test has run
        run.clear()
        begun, failed = time.process_time(), item.session.testsfailed
        done = yield
        if item.session.testsfailed == failed:
            seconds = time.process_time() - begun
            line = {"test": item.nodeid, "seconds": seconds, "functions": sorted(run)}
            print(json.dumps(line), file=self._file, flush=True)
        return done


class Trying:
    """Answers for each mutant of the plan whether one of its tests fails."""

    def __init__(self, plan: Path, processes: int) -> None:
        self._plan = plan
        self._answers = plan.with_suffix(".jsonl").open("w")
        self._processes = processes
        self._running: dict[int, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        set_mutant_under_test("")
        # The first test that needs the database makes it.
        run([next(item for item in session.items if item.get_closest_marker("django_db"))], session)
        assert not session.testsfailed
        for mutant, tests in json.loads(self._plan.read_text()).items():
            if len(self._running) == self._processes:
                self._wait()
            self._begin(mutant, [items[test] for test in tests if test in items], session)
        while self._running:
            self._wait()
        return True

    def _begin(self, mutant: str, tests: Sequence[pytest.Item], session: pytest.Session) -> None:
        if child := os.fork():
            self._running[child] = mutant
            return
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 60))
            signal.alarm(SECONDS)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            set_mutant_under_test(mutant)
            run(tests, session)
            os._exit(1 if session.testsfailed else 0)
        finally:
            os._exit(2)

    def _wait(self) -> None:
        child, status = os.wait()
        mutant, code = self._running.pop(child), os.waitstatus_to_exitcode(status)
        # Who waits for ever may only have met a busy machine; who works for ever is noticed.
        answer = {0: "survived", 1: "killed", -signal.SIGXCPU: "killed"}.get(code, f"broken: {code}")
        print(json.dumps([mutant, answer]), file=self._answers, flush=True)


def run(tests: Sequence[pytest.Item], session: pytest.Session) -> None:
    """Run tests up to the first that fails, and keep the fixtures of the session."""
    for test, following in zip(tests, [*tests[1:], None], strict=True):
        test.config.hook.pytest_runtest_protocol(item=test, nextitem=following or elsewhere(test, session))
        if session.testsfailed:
            return


def elsewhere(test: pytest.Item, session: pytest.Session) -> pytest.Item:
    """A test of another folder below tests/."""
    folder = test.nodeid.split("/")[1]
    return next(one for one in session.items if one.nodeid.split("/")[1] != folder)


def pytest_configure(config: Any) -> None:
    worker = getattr(config, "workerinput", {}).get("workerid", "main")
    if folder := os.environ.get("MUTANTS_SEEN"):
        config.pluginmanager.register(Noting(Path(folder), worker))
    if plan := os.environ.get("MUTANTS_PLAN"):
        config.pluginmanager.register(Trying(Path(plan), int(os.environ["MUTANTS_PROCESSES"])))
