"""The sites of stream-django's examples move by what docs/moving/stream-django.md says, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.extras import needs

ROOT = Path(__file__).resolve().parents[3]
SITES = ROOT / "tests" / "moved" / "sites"
PAGE = (ROOT / "docs" / "moving" / "stream-django.md").read_text()
APPS = {"pinboard": "core", "twitter": "chirps"}

pytestmark = needs("aggregation")


def of_the_table() -> list[tuple[str, str]]:
    """What the page's first table says to write in place of what."""
    found = re.findall(r"^\| `([^`]*stream_django[^`]*)` \| `([^`]+)`", PAGE, re.MULTILINE)
    return [(_inside(before), _inside(after)) for before, after in found]


def _inside(code: str) -> str:
    listed = re.fullmatch(r"INSTALLED_APPS = \[(.*)\]", code)
    return listed[1] if listed else code


def steps() -> list[str]:
    """The commands of the page's steps, in their order."""
    part = PAGE.partition("## Steps")[2].partition("\n## ")[0]
    return re.findall(r"^ *python manage.py (\w+.*)$", part, re.MULTILINE)


class Site:
    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        for file in sorted((SITES / name / "site").rglob("*.txt")):
            target = folder / file.relative_to(SITES / name / "site").with_suffix("")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.read_text())
            if target.suffix == ".py" and target.parent != folder:
                (target.parent / "__init__.py").touch()
        settings = (SITES / "settings.txt").read_text().replace("APP", APPS[name])
        settings = settings.replace(f"INSTALLED_{APPS[name]}S", "INSTALLED_APPS")
        settings = settings.replace(f"{APPS[name]}_DIRS", "APP_DIRS")
        (folder / "settings.py").write_text(settings + (SITES / name / "settings.txt").read_text())
        (folder / "manage.py").write_text((SITES / "manage.txt").read_text())

    def change_imports(self) -> None:
        for file in self.folder.rglob("*.py"):
            text = file.read_text()
            for before, after in of_the_table():
                text = text.replace(before, after)
            file.write_text(text)

    def edit(self) -> None:
        """By hand: the follow model, rows that are only marked as deleted, feed groups, migrations."""
        for name, edits in json.loads((SITES / self.name / "edits.json").read_text()).items():
            file = self.folder / name
            text = file.read_text()
            for before, after in edits:
                assert before in text, before
                text = text.replace(before, after)
            file.write_text(text)
        for file in (self.folder / APPS[self.name] / "migrations").glob("0*.py"):
            file.write_text(file.read_text().replace("stream_django.activity", "django_stream.activity"))

    def manage(self, *command: str, stdin: str = "") -> str:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}",
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "manage.py", *command],
            cwd=self.folder,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def script(self, name: str, *, paused: bool = False) -> str:
        text = (SITES / self.name / f"{name}.py.txt").read_text()
        if paused:  # rows from before the move: nothing of ours was there to see them
            body = "\n".join(f"    {line}" for line in text.splitlines())
            text = (
                f"from django_stream.tracking import activities_paused\n\nwith activities_paused():\n{body}\n"
            )
        return self.manage("shell", "-c", text)


@pytest.mark.parametrize("name", sorted(APPS))
def test_a_site_moves_by_the_documented_steps(name: str, tmp_path: Path) -> None:
    site = Site(name, tmp_path)
    site.change_imports()
    site.edit()
    assert "stream_django" not in "".join(file.read_text() for file in tmp_path.rglob("*.py"))

    assert steps()[0] == "migrate"
    site.manage(*steps()[0].split())
    assert "No changes" in site.manage("makemigrations", "--check", "--dry-run")
    site.script("before", paused=True)
    for step in steps()[1:]:
        site.manage(*step.split())

    assert site.script("after").endswith("moved\n")
    assert "no differences" in site.manage("stream_verify")


def test_the_page_names_the_edits_that_a_site_needs() -> None:
    for words in ("FollowMixin", "should_publish", "STREAM_SERVER_FEED_GROUPS", "migrations"):
        assert words in PAGE
