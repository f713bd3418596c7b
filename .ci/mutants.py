"""Change the code carelessly, one place at a time, and see whether a test notices.

    make mutants                                a sample of all rooms
    make mutants ROOMS="feeds server/auth" SAMPLE=50
    make mutants ROOMS=publishing SAMPLE=0      every mutant of a room: hours

The work is done in a copy below var/mutants. Only tests that run a changed function are tried with it, on
SQLite, up to the first that fails and no longer than a limit. What survives that is tried again with all the
tests of its room in a process of its own, since some functions run before the first test only. What survives
is shown there in survivors.diff; .ci/mutants.md judges it.

Decorated functions and text outside of functions are not changed by mutmut, and SQLite does not lock rows:
for filters by application, locks and templates see .ci/careless.py.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "var" / "mutants"
MUTMUT = Path(sys.executable).parent / "mutmut"
SERVER = ("tests/db/server", "tests/contract")
ROOMS = {
    "server/auth": SERVER,
    "server/actions": SERVER,
    "server/timelines": SERVER,
    "server/fanout": SERVER,
    "publishing": ("tests/db/publishing", "tests/db/site", "tests/db/activities"),
    "activities": (
        "tests/db/activities",
        "tests/db/publishing",
        "tests/unit/test_checks.py",
        "tests/db/site",
        "tests/db/example",
    ),
    "feeds": ("tests/db/feeds", "tests/db/site", "tests/db/example"),
}
SECONDS = 900
# Not a timeout, which may only tell of a busy machine: what timed out is tried again like what survived.
NOTICED = ("killed",)


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


def mutmut(*arguments: str) -> str:
    done = subprocess.run([MUTMUT, *arguments], cwd=PLACE, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mutmut {arguments[0]} failed:\n{done.stdout[-8000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def statuses() -> dict[str, str]:
    lines = mutmut("results", "--all", "true").splitlines()
    return dict(line.strip().rsplit(": ", 1) for line in lines if "__mutmut_" in line)


def room_of(mutant: str) -> str | None:
    path = mutant.removeprefix("django_stream.").replace(".", "/")
    return next((room for room in ROOMS if path.startswith(f"{room}/")), None)


def chosen(mutants: list[str], rooms: list[str], size: int, seed: int) -> list[str]:
    """A sample that takes of each room in proportion to its size."""
    of_rooms = sorted(mutant for mutant in mutants if room_of(mutant) in rooms)
    if not size or size >= len(of_rooms):
        return of_rooms
    return random.Random(seed).sample(of_rooms, size)  # noqa: S311


def is_noticed(mutant: str) -> bool:
    """Whether a test of its room fails, or never ends, where it is there from the beginning."""
    settings = tomllib.loads((PLACE / "pyproject.toml").read_text())["tool"]["mutmut"]
    given = [*settings["pytest_add_cli_args"], *settings["pytest_add_cli_args_test_selection"][-2:]]
    command = [sys.executable, "-m", "pytest", "-x", "-q", *given, *ROOMS[room_of(mutant) or ""]]
    place = PLACE / "mutants"
    environment = {**os.environ, "MUTANT_UNDER_TEST": mutant, "PYTHONPATH": str(place)}
    try:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def report(sample: list[str], found: dict[str, str]) -> None:
    rooms: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in sample:
        rooms[room_of(mutant) or ""][found[mutant]] += 1
        rooms["all"][found[mutant]] += 1
    for room, counts in rooms.items():
        killed = sum(counts[status] for status in NOTICED)
        print(f"{room:20} {killed:5} of {counts.total():5}  {killed / counts.total():6.1%}  {dict(counts)}")
    survivors = sorted(mutant for mutant in sample if found[mutant] not in NOTICED)
    (PLACE / "survivors.diff").write_text("\n".join(mutmut("show", mutant) for mutant in survivors))
    print(f"{len(survivors)} survivors are shown in {PLACE / 'survivors.diff'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rooms", nargs="*", default=[])
    parser.add_argument("--sample", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", default="1")
    given = parser.parse_args()
    copied()
    # Any mutant will do: mutants are made, and it is noted which tests run which function.
    mutmut("run", "--max-children", given.processes, "django_stream.publishing.retry.x_reason_of__mutmut_1")
    sample = chosen(list(statuses()), given.rooms or list(ROOMS), given.sample, given.seed)
    print(f"{len(sample)} mutants", flush=True)
    # A run that was broken off goes on where it stopped.
    if left := [
        mutant for mutant, status in statuses().items() if mutant in sample and status == "not checked"
    ]:
        mutmut("run", "--max-children", given.processes, *left)
    found = statuses()
    for mutant in sample:
        if found[mutant] not in NOTICED and is_noticed(mutant):
            found[mutant] = "killed"
    report(sample, found)


if __name__ == "__main__":
    main()
