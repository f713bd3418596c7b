"""The import rules really hold: a forbidden import, hidden in a function, is found wherever it is put."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# One for each wall of the site's half: who imports, and what it must not.
BREACHES = [
    ("protocol.limits", "django_stream.conf"),
    ("client.feed", "django_stream.conf"),
    ("database.deadlocks", "django_stream.protocol.times"),
    ("wakeup", "django_stream.publishing.models"),
    ("conf", "django_stream.backends"),
    ("backends", "django_stream.publishing.models"),
    ("signals", "django_stream.conf"),
    ("publishing.drain", "django_stream.activities.ids"),
    ("activities.ids", "django_stream.feeds.manager"),
    ("feeds.manager", "django_stream.server.conf"),
    ("feeds.paging", "django_stream.api.views"),
    ("api.views", "django_stream.rendering.templates"),
    ("tracking", "django_stream.testing.kit"),
    ("publishing.settlement", "django_stream.publishing.outbox"),
    ("publishing.models", "django_stream.publishing.ledger"),
    ("activities.kinds", "django_stream.activities.registry"),
    ("activities.paths", "django_stream.activities.mixins"),
    ("activities.publishers.base", "django_stream.activities.publishers.mirrors"),
    ("feeds.enrichment", "django_stream.feeds.readers"),
    ("api.marks", "django_stream.api.views"),
]
CIRCLE = ("activities.checks.messages", "django_stream.activities.checks.models")
NEW_ROOM = "attic"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `lint-imports` says of a copy of the code with all breaches in it."""
    folder = tmp_path_factory.mktemp("breached")
    shutil.copytree(ROOT / "django_stream", folder / "django_stream")
    shutil.copy(ROOT / "setup.cfg", folder)
    for importer, imported in [*BREACHES, CIRCLE]:
        with (folder / "django_stream" / f"{importer.replace('.', '/')}.py").open("a") as file:
            file.write(f"\n\ndef _breach():\n    import {imported}\n")
    (folder / "django_stream" / f"{NEW_ROOM}.py").touch()
    lint = "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports_command as l; l()"
    done = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={"COLUMNS": "300", "PATH": "", "NO_COLOR": "1"},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("importer", "imported"), BREACHES)
def test_a_breach_of_a_wall_is_found(importer: str, imported: str, report: str) -> None:
    assert re.search(rf"django_stream\.{importer} -> {imported}\b", report)


def test_a_room_without_a_place_is_found(report: str) -> None:
    assert NEW_ROOM in report


def test_a_circle_is_found(report: str) -> None:
    assert "No cycles are allowed in django_stream.activities.checks." in report
