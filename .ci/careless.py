"""Careless changes of the kinds that no general tool makes, one at a time: does a test of the kind notice?

    make careless                               all of them
    make careless KINDS="escaping isolation"    some kinds
    python3 .ci/careless.py --list              the places

A kind is a rule that holds for many places, or a list in careless.toml. Like .ci/mutants.py it works in a
copy, below var/. Kind `locks` needs PostgreSQL in DATABASE_URL; .ci/mutants.md tells what is known to live.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / ".ci" / "careless.toml"
SECONDS = 600


@dataclass(frozen=True)
class Kind:
    """What is searched for in which files, what it is replaced by, and the tests that must notice."""

    name: str
    files: tuple[str, ...]
    pattern: str
    replacement: str
    tests: tuple[str, ...]


SERVER = ("django_stream/server/**/*.py",)
SITE = (
    "django_stream/publishing/*.py",
    "django_stream/activities/**/*.py",
    "django_stream/notifications/*.py",
    "django_stream/operations/**/*.py",
)
TEMPLATES = (
    "django_stream/**/templates/**/*.html",
    "example_project/social/templates/activity/**/*.html",
    "example_project/social/templates/social/_[abplq]*.html",
)
ESCAPING = ("tests/db/site/test_escaping.py",)
ISOLATION = ("tests/db/server/isolation", "tests/db/server/files")
# A lock is missed by the tests of its own side alone.
SERVER_LOCKS = (
    "tests/db/locks/test_server_locks.py",
    "tests/db/database/test_deadlock_victims.py",
    "tests/db/server/test_orphans.py",
    "tests/services/test_concurrent_reactions.py",
    "tests/services/test_concurrent_feeds.py",
)
SITE_LOCKS = (
    "tests/db/locks/test_publishing_locks.py",
    "tests/db/database/test_deadlock_victims.py",
    "tests/db/publishing/test_races.py",
    "tests/db/publishing/test_deadlocks.py",
    "tests/db/publishing/test_related_rows.py",
    "tests/db/notifications/test_digests.py",
)
_BRACKETS = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
KINDS = [
    Kind(
        "isolation", SERVER, r"\b(\w+__)?application(_id)?=(?!\=)[\w.]+(\(\"\w+\"\))?(,\s*)?", "", ISOLATION
    ),
    Kind("isolation", SERVER, r"(\w+\.)?application_id = %s", "%s IS NOT NULL", ISOLATION),
    Kind("isolation", SERVER, r"equal\(\"application_id\", \w+\),", "", ISOLATION),
    # Dates are their own words, whatever is in them.
    Kind(
        "escaping",
        TEMPLATES,
        r"\{\{ ((?:(?!\|date|\|timesince|\|ago)[^}])+) \}\}",
        r"{{ \1|safe }}",
        ESCAPING,
    ),
    *(
        Kind("locks", files, pattern, replacement, tests)
        for files, tests in ((SERVER, SERVER_LOCKS), (SITE, SITE_LOCKS))
        for pattern, replacement in (
            (r"\.select_for_update" + _BRACKETS, ""),
            (r"(?m)^( +)(?:\w+\.)?(?:lock|lock_writers|take_turn)\(.*\)$", r"\1pass"),
            (r"(?m)(?<== )feed_store\.lock\((.*)\)$", r"{feed.pk: feed for feed in (\1)}"),
            (r"(?m)(?<== )(feed_store\.)?lock_named\(", r"\1find("),
            (r"(?<!def )(?<![\w.])locked(?=\()", ""),
            (r"(?m)^ *@retry_on_deadlock$", ""),
        )
    ),
]
# These rows have no neighbours, or the place makes rows and does not look for them.
SKIPPED = ("/migrations/", "/models/", "/openapi/")


@dataclass(frozen=True)
class Change:
    kind: Kind
    path: str
    line: int
    text: str
    """The whole file after it."""

    def __str__(self) -> str:
        return f"{self.kind.name}: {self.path}:{self.line}"


def listed() -> Iterator[Kind]:
    for name, kind in tomllib.loads(LIST.read_text()).items():
        for path, before, after in kind["changes"]:
            literal = after.replace("\\", r"\\")
            yield Kind(name, (f"django_stream/{path}",), re.escape(before), literal, tuple(kind["tests"]))


def changes(kinds: list[str]) -> Iterator[Change]:
    for kind in (*KINDS, *listed()):
        if kinds and kind.name not in kinds:
            continue
        for path in sorted({path for pattern in kind.files for path in ROOT.glob(pattern)}):
            name = str(path.relative_to(ROOT))
            if kind in KINDS and any(part in name for part in SKIPPED):
                continue
            before = path.read_text()
            for match in re.finditer(kind.pattern, before):
                after = before[: match.start()] + match.expand(kind.replacement) + before[match.end() :]
                if path.suffix == ".py":
                    ast.parse(after, name)  # what Python itself refuses shows nothing
                yield Change(kind, name, before.count("\n", 0, match.start()) + 1, after)


def is_noticed(change: Change, place: Path, *, new_database: bool) -> bool | None:
    """None where the tests did not end: on a busy machine that says nothing, and they leave rows behind."""
    file = place / change.path
    before = file.read_text()
    file.write_text(change.text)
    # On PostgreSQL it takes longer to make a database than most tests take.
    database = "--create-db" if new_database else "--reuse-db"
    options = ["-x", "-q", "-n", "0", "-p", "no:randomly", "--reuse-db", database]
    command = [sys.executable, "-m", "pytest", *options, *change.kind.tests]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    try:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    finally:
        file.write_text(before)
    return done.returncode != 0


def copy_to(place: Path) -> None:
    ignored = shutil.ignore_patterns("var", ".*", "node_modules", "__pycache__")
    shutil.copytree(ROOT, place, ignore=ignored, symlinks=True, dirs_exist_ok=True)
    (place / "var").mkdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kinds", nargs="*", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="", help="only changes whose place contains this")
    given = parser.parse_args()
    chosen = [change for change in changes(given.kinds) if given.only in str(change)]
    if given.list:
        print(*chosen, sep="\n")
        return
    (ROOT / "var").mkdir(exist_ok=True)
    lived = 0
    with tempfile.TemporaryDirectory(dir=ROOT / "var", prefix="careless-") as folder:
        copy_to(place := Path(folder))
        noticed: bool | None = None
        for number, change in enumerate(chosen, 1):
            noticed = is_noticed(change, place, new_database=noticed is None)
            lived += not noticed
            told = {True: "noticed", False: "NOT noticed", None: "UNDECIDED, since the tests did not end:"}[
                noticed
            ]
            print(f"{number} of {len(chosen)}: {told} {change}", flush=True)
    print(f"{len(chosen) - lived} of {len(chosen)} careless changes are noticed")


if __name__ == "__main__":
    main()
