"""The sites of stream-django's examples move by what docs/moving/stream-django.md says, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.extras import needs
from tests.moved.site import ROOT, SITES, Site, steps_of

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


class ExampleSite(Site):
    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder)
        settings = (SITES / "settings.txt").read_text().replace("APP", APPS[name])
        settings = settings.replace(f"INSTALLED_{APPS[name]}S", "INSTALLED_APPS")
        settings = settings.replace(f"{APPS[name]}_DIRS", "APP_DIRS")
        (folder / "settings.py").write_text(settings + (SITES / name / "settings.txt").read_text())

    def change_imports(self) -> None:
        for file in self.folder.rglob("*.py"):
            text = file.read_text()
            for before, after in of_the_table():
                text = text.replace(before, after)
            file.write_text(text)

    def edit(self) -> None:
        """By hand: the follow model, rows that are only marked as deleted, feed groups, migrations."""
        super().edit()
        for file in (self.folder / APPS[self.name] / "migrations").glob("0*.py"):
            file.write_text(file.read_text().replace("stream_django.activity", "django_stream.activity"))


@pytest.mark.parametrize("name", sorted(APPS))
def test_a_site_moves_by_the_documented_steps(name: str, tmp_path: Path) -> None:
    site = ExampleSite(name, tmp_path)
    site.change_imports()
    site.edit()
    assert "stream_django" not in "".join(file.read_text() for file in tmp_path.rglob("*.py"))

    steps = steps_of(PAGE)
    assert steps[0] == "migrate"
    site.manage(*steps[0].split())
    assert "No changes" in site.manage("makemigrations", "--check", "--dry-run")
    site.script("before", paused=True)
    for step in steps[1:]:
        site.manage(*step.split())

    assert site.script("after").endswith("moved\n")
    assert "no differences" in site.manage("stream_verify")


def test_the_page_names_the_edits_that_a_site_needs() -> None:
    for words in ("FollowMixin", "should_publish", "STREAM_SERVER_FEED_GROUPS", "migrations"):
        assert words in PAGE
