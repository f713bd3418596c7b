"""Sites of other packages, with databases that these made, move by the steps of our pages alone."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.extras import needs
from tests.moved.site import SITES, Site, steps_of

ROOT = Path(__file__).resolve().parents[3]
PAGES = ROOT / "docs" / "moving"
MADE = ROOT / "tests" / "moved" / "made"
MOVES = {"readers": "django-activity-stream", "desk": "django-notifications-hq"}

TAGS = r"\{% (?!if|end|for|csrf|with)\w+(?: ['\"][\w:]+)?"
CALLS = rf"feeds\.\w+|feed_manager\.\w+|record|show(?=\()|FeedListView|{TAGS}"
pytestmark = needs("aggregation")


def load(site: Site) -> dict[str, Any]:
    """The database as the package has left it; returns what the pages of the site showed."""
    made: dict[str, Any] = json.loads(gzip.decompress((MADE / f"{site.name}.json.gz").read_bytes()))
    with sqlite3.connect(site.folder / "db.sqlite3") as connection:
        connection.executescript("\n".join(made["sql"]))
    shown: dict[str, Any] = made["shown"]
    return shown


def configure(site: Site) -> None:
    """The settings of the page, with this site's model in place of the one that stands there."""
    page = (PAGES / f"{MOVES[site.name]}.md").read_text()
    blocks = re.findall(r"^ *```python\n *# settings.py\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    lines = [line.removeprefix("   ") for block in blocks for line in block.splitlines()]
    settings = site.folder / "settings.py"
    settings.write_text("\n".join([settings.read_text(), *lines, ""]).replace("auth.Group", "books.Club"))


@pytest.mark.parametrize("name", sorted(MOVES))
def test_a_site_shows_after_its_move_what_it_showed_before(name: str, tmp_path: Path) -> None:
    site = Site(name, tmp_path)
    shown = load(site)
    site.edit()
    configure(site)
    sources = "".join(file.read_text() for file in tmp_path.rglob("*.*") if file.suffix in (".py", ".html"))
    assert not re.search("actstream|notifications_tags|notifications.signals", sources)

    for step in steps_of((PAGES / f"{MOVES[name]}.md").read_text()):
        site.manage(*step.split())

    assert site.walked() == shown
    assert site.script("after").endswith("moved\n")


@pytest.mark.parametrize("name", sorted(MOVES))
def test_the_page_tells_of_every_call_that_changes(name: str) -> None:
    page = (PAGES / f"{MOVES[name]}.md").read_text()
    edits = json.loads((SITES / name / "edits.json").read_text())
    for file, changes in edits.items():
        for _, after in changes:
            for call in re.findall(CALLS, after):
                assert call.replace("'", '"') in page, (file, call)
