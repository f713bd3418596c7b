"""Change the code carelessly, one place at a time, and see whether a test notices.

    make mutants                                a sample of all rooms
    make mutants ROOMS="feeds server/auth" SAMPLE=50
    make mutants ROOMS=publishing SAMPLE=0      every mutant of a room: hours

The work is done in a copy below var/mutants, on SQLite. First it is noted which test runs which function; a
test that fails in the copy as it is, since it reads the source or starts the project, is asked nothing. Then
each mutant is tried with the tests that run its function, up to the first that fails. What survives is tried
again in a process of its own, since some functions run before the first test only: with all the tests of its
room where no test runs the function. What still survives is shown in survivors.diff there; .ci/mutants.md
judges it.

Decorated functions and text outside of functions are not changed by mutmut, and SQLite does not lock rows:
for filters by application, locks and templates see .ci/careless.py.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "var" / "mutants"
COPY = PLACE / "mutants"
SEEN = PLACE / "seen"
MUTMUT = Path(sys.executable).parent / "mutmut"
MAKE = (
    "from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants, setup_source_paths\n"
    "copy_src_dir(); copy_also_copy_files(); setup_source_paths(); create_mutants(2)"
)
# Commands on whole tables are what calls some of it: erasures, previews, the state of the outbox.
COMMANDS = "tests/db/operations"
SERVER = ("tests/db/server", "tests/contract", COMMANDS)
SITE = ("tests/db/activities", "tests/db/publishing", "tests/db/site", COMMANDS)
ROOMS = {
    "server/auth": (*SERVER, "tests/served/test_signatures.py"),
    "server/actions": SERVER,
    "server/timelines": SERVER,
    "server/fanout": SERVER,
    "publishing": SITE,
    "activities": (
        "tests/db/activities",
        "tests/db/publishing",
        "tests/db/site",
        "tests/unit/test_checks.py",
        COMMANDS,
    ),
    "feeds": ("tests/db/feeds", "tests/db/site", "tests/db/moving/test_stream_django.py"),
}
# Not there: tests of rooms that are not changed, and of processes, which are long and see what others see.
TESTS = (
    *sorted({test for tests in ROOMS.values() for test in tests}),
    "tests/unit/test_key_checks.py",
    "--ignore=tests/db/server/files",
    "--ignore=tests/db/server/opengraph",
    "--ignore=tests/db/server/streams",
    "--ignore=tests/db/server/test_missing_packages.py",
)
OPTIONS = (
    *("-q", "-p", "mutant_tests", "-p", "no:randomly", "-p", "no:cacheprovider", "--hypothesis-profile=ci"),
    *("-m", "not services and not browser and not javascript and not schema and not scale"),
)
SECONDS = 900


def copied() -> None:
    """The files that git knows, as they are now. Mutants that are there already and still true are kept."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    (PLACE / "var").mkdir(parents=True, exist_ok=True)
    for name in names:
        source, copy = ROOT / name, PLACE / name
        if source.is_file() and not source.is_symlink():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    made = subprocess.run(
        [sys.executable, "-c", MAKE], cwd=PLACE, capture_output=True, text=True, check=False
    )
    if made.returncode:
        sys.exit(f"mutmut makes no mutants:\n{made.stderr[-4000:]}")


def pytest(*arguments: str, mutant: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tests in the copy."""
    path = f"{COPY}{os.pathsep}{Path(__file__).parent}"
    return subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *arguments],
        cwd=COPY,
        env={**os.environ, "MUTANT_UNDER_TEST": mutant, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS if mutant not in ("", "stats") else None,
    )


def noted(*, afresh: bool) -> None:
    """Note which tests run which functions."""
    if afresh:
        shutil.rmtree(SEEN, ignore_errors=True)
    SEEN.mkdir(exist_ok=True)
    done = pytest("-n", "auto", *TESTS, mutant="stats", MUTANTS_SEEN=str(SEEN))
    if done.returncode not in (0, 1, 5):  # all tests were run, and all or not all passed; or none was left
        sys.exit(f"the tests broke off:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    print("\n".join(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))))
    print(done.stdout.splitlines()[-1], flush=True)


def tests_by_function(budget: float) -> dict[str, list[str]]:
    """Quick tests that run little come first."""
    lines = [json.loads(line) for file in SEEN.glob("*.jsonl") for line in file.open()]
    found: dict[str, list[Any]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line["seconds"] * len(line["functions"])):
        for function in line["functions"]:
            found[function].append(line)
    return {function: within_budget(lines, budget) for function, lines in found.items()}


def within_budget(lines: list[Any], budget: float) -> list[str]:
    tests, left = [], budget
    for line in lines:
        if (left := left - line["seconds"]) < 0 and tests:
            break
        tests.append(line["test"])
    return tests


def mutants() -> list[str]:
    files = sorted(COPY.glob("django_stream/**/*.meta"))
    return [name for file in files for name in json.loads(file.read_text())["exit_code_by_key"]]


def room_of(mutant: str) -> str | None:
    path = mutant.removeprefix("django_stream.").replace(".", "/")
    return next((room for room in ROOMS if path.startswith(f"{room}/")), None)


def chosen(rooms: list[str], size: int, seed: int) -> list[str]:
    """A sample that takes of each room in proportion to its size."""
    of_rooms = sorted(mutant for mutant in mutants() if room_of(mutant) in rooms)
    if not size or size >= len(of_rooms):
        return of_rooms
    return random.Random(seed).sample(of_rooms, size)  # noqa: S311


def tried(sample: list[str], by_function: dict[str, list[str]], processes: int) -> dict[str, str]:
    """What became of each mutant with the tests that run its function."""
    plan = {mutant: by_function.get(mutant.rpartition("__mutmut_")[0], []) for mutant in sample}
    path = PLACE / "plan.json"
    # Without a change no test may fail, whatever is asked before it.
    control = sorted({test for tests in plan.values() for test in tests[:3]})
    path.write_text(json.dumps({"": control} | {mutant: tests for mutant, tests in plan.items() if tests}))
    done = pytest("-n", "0", *TESTS, MUTANTS_PLAN=str(path), MUTANTS_PROCESSES=str(processes))
    answers = dict(json.loads(line) for line in path.with_suffix(".jsonl").open())
    if answers.pop("", None) != "survived" or len(answers) < sum(map(bool, plan.values())):
        sys.exit(f"the tests broke off:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return {mutant: answers.get(mutant, "not run") for mutant in sample}


def is_noticed(mutant: str, tests: list[str]) -> bool:
    """Whether a test fails where the mutant is there from the beginning; not where they take too long."""
    try:
        return (
            pytest("-x", "-n", "0", *(tests or ROOMS[room_of(mutant) or ""]), mutant=mutant).returncode != 0
        )
    except subprocess.TimeoutExpired:
        return False


def report(sample: list[str], found: dict[str, str]) -> None:
    rooms: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in sample:
        rooms[room_of(mutant) or ""][found[mutant]] += 1
        rooms["all"][found[mutant]] += 1
    for room, counts in sorted(rooms.items()):
        killed = counts["killed"]
        print(f"{room:20} {killed:5} of {counts.total():5}  {killed / counts.total():6.1%}  {dict(counts)}")
    survivors = sorted(mutant for mutant in sample if found[mutant] != "killed")
    shown = [
        subprocess.run([MUTMUT, "show", one], cwd=PLACE, capture_output=True, text=True, check=False).stdout
        for one in survivors
    ]
    (PLACE / "survivors.diff").write_text("\n".join(shown))
    print(f"{len(survivors)} survivors are shown in {PLACE / 'survivors.diff'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rooms", nargs="*", default=[])
    parser.add_argument("--sample", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--budget",
        type=float,
        default=60,
        help="seconds that the tests of a mutant may take; those that are quick and run little come first",
    )
    parser.add_argument("--seen", action="store_true", help="the notes of the last run are still true")
    parser.add_argument("--go-on", action="store_true", help="note what a run that broke off had not noted")
    given = parser.parse_args()
    copied()
    if not given.seen:
        noted(afresh=not given.go_on)
    sample = chosen(given.rooms or list(ROOMS), given.sample, given.seed)
    print(f"{len(sample)} mutants", flush=True)
    by_function = tests_by_function(given.budget)
    found = tried(sample, by_function, given.processes)
    report(sample, found)
    for mutant in sample:
        tests = by_function.get(mutant.rpartition("__mutmut_")[0], [])
        if found[mutant] != "killed" and is_noticed(mutant, tests):
            found[mutant] = "killed"
    report(sample, found)


if __name__ == "__main__":
    main()
