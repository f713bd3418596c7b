"""What the pages about moving say to write is run, line by line and with the settings that they give."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.template import engines
from django.urls import include, path
from django.utils import timezone

from django_stream import feeds, notifications
from django_stream.activity import create_reference
from django_stream.backends import get_other_client
from django_stream.checks import check_settings
from django_stream.client import stream_client
from django_stream.enrich import Enrich, EnrichedActivity
from django_stream.feed_manager import feed_manager
from django_stream.moving.stream_framework import ids_named
from django_stream.tracking import activities_paused, drain, record, retract, show
from tests.extras import needs
from tests.moved.made import load
from tests.moved.models import Tweet, Wall

# Notifications stand each for itself there: a format of groups says so.
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.buttons.urls"), needs("aggregation")]

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "moving"
PAGES = sorted(FOLDER.glob("*.md"))


def settings_of(page: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for block in re.findall(r"^ *```python\n *# settings.py\n(.*?)```", page, re.DOTALL | re.MULTILINE):
        exec("\n".join(line.removeprefix("   ") for line in block.splitlines()), {}, found)
    return found


def ours(page: str) -> list[str]:
    """The code in the right column of tables 'theirs, ours'."""
    tables = re.findall(r"^\| Theirs \| Ours \|\n\| --- \| --- \|\n((?:\|.*\n)+)", page, re.MULTILINE)
    cells = [line.strip("| \n").split(" | ")[1] for table in tables for line in table.splitlines()]
    return [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


NAMED = {"FeedListView", "reader", "mark_read", "mark_unread", "true", "notification"}
"""Names of classes, methods and fields, which tests of these use."""
CLOSING = {"for": "{% endwith %}{% endfor %}"}
"""What ends the tags that a cell only begins."""
CODE = [(page, code) for page in PAGES for code in ours(page.read_text())]


def test_every_page_has_such_a_table() -> None:
    assert {page for page, _ in CODE} == set(PAGES)


@pytest.fixture
def names(settings: Any, ada: User, grace: User) -> dict[str, Any]:
    tweet = Tweet.objects.create(author=ada, text="x")
    club = Group.objects.create(name="chess")
    told = {"description": "told", "level": "info", "data": {"number": 5}}
    record(actor=ada, verb="welcomed", object=club, target=grace, to=grace, extra=told)
    drain()
    return {
        "ada": ada,
        "grace": grace,
        "tweet": tweet,
        "Tweet": Tweet,
        "club": club,
        "Group": Group,
        "feeds": feeds,
        "notifications": notifications,
        "User": User,
        "feed_manager": feed_manager,
        "stream_client": stream_client,
        "Enrich": Enrich,
        "record": record,
        "retract": retract,
        "show": show,
        "create_reference": create_reference,
        "activities_paused": activities_paused,
        "path": path,
        "include": include,
        "moment": timezone.now(),
        "enriched": EnrichedActivity({}),
        "activities": [],
        "activity": feeds.profile(ada).page()[0],
        "entry": feeds.notifications(grace).page()[0],
    }


@pytest.mark.parametrize(("page", "code"), CODE, ids=lambda one: one.stem if isinstance(one, Path) else one)
def test_our_side_of_the_tables_runs(page: Path, code: str, settings: Any, names: dict[str, Any]) -> None:
    for name, value in settings_of(page.read_text()).items():
        setattr(settings, name, value)
    if code.startswith("{"):
        html = "{% load django_stream %}" + code + CLOSING.get(code.split()[1], "")
        engines["django"].from_string(html).render(names)
    elif re.fullmatch(r"(activity|entry)(\.\w+)+", code):
        assert engines["django"].from_string("{{ " + code + " }}").render(names) not in ("", "None")
    elif code.startswith("STREAM_"):
        assert not [one for one in check_settings() if one.id == "django_stream.W001"]
        assert hasattr(settings, code) or code == "STREAM_NOTIFICATION_FEED"
    elif re.fullmatch(r"[EW]\d+", code):
        assert f"django_stream.{code}" in (FOLDER.parent / "settings.md").read_text()
    elif code.isidentifier() or code.startswith("page_obj."):
        assert code in NAMED or hasattr(feeds.profile(names["ada"]).page(), code.partition(".")[2])
    else:
        exec(code.replace("…", "pass") if code.startswith("with") else code, names)
    feed_manager.enable_model_tracking(Tweet)


@pytest.mark.parametrize(("package", "page"), [("actstream", 0), ("notifications", 1)])
def test_the_settings_of_a_page_are_those_that_its_import_needs(
    package: str, page: int, settings: Any
) -> None:
    for name, value in settings_of(PAGES[page].read_text()).items():
        setattr(settings, name, value)
    load(package)
    out = StringIO()

    assert check_settings() == []
    call_command("stream_import", "--from", package, "--dry-run", stdout=out)

    assert "would be sent" in out.getvalue()


MOVING = FOLDER.parent / "moving.md"


@pytest.mark.parametrize("page", [MOVING, *PAGES], ids=lambda page: page.stem)
def test_the_settings_of_a_page_are_sound(page: Path, settings: Any) -> None:
    found = settings_of(page.read_text())
    for name, value in found.items():
        setattr(settings, name, value)

    assert check_settings() == []
    if "STREAM_OTHER_HOME" in found:
        settings.STREAM_NETWORK_IN_TESTS = True
        other = found["STREAM_OTHER_HOME"]
        assert get_other_client(other["backend"]).api_key == other["api_key"]


def test_the_mapping_of_the_page_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (FOLDER / "stream-framework.md").read_text()
    (block,) = re.findall(r"^ *# myapp/moving.py\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    code = "\n".join(line.removeprefix("   ") for line in block.splitlines())
    names: dict[str, Any] = {}
    exec(code.replace("shop.Item", "moved.Tweet").replace("shop.Board", "moved.Wall"), names)
    monkeypatch.setattr("tests.moved.models.IDS", names["IDS"], raising=False)

    ids = ids_named("tests.moved.models.IDS")

    assert (ids.feeds, ids.activities, ids.shards, ids.actor) == ("user_feed:%(user_id)s", "global", 10, User)
    assert ids.verbs[4].target is Wall


IMPORTS = re.findall(r"^\| `[^`]+` \| `(from django_stream[^`]+)` \|", PAGES[2].read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", IMPORTS)
def test_imports_are_there(line: str) -> None:
    exec(line, {})


def test_there_are_imports() -> None:
    assert len(IMPORTS) == 7


def test_what_was_notified_goes_to_the_recipient_alone(names: dict[str, Any]) -> None:
    ada, grace = names["ada"], names["grace"]
    follower = User.objects.create(username="follower")
    feed_manager.follow_user(follower, ada)
    drain()
    before = len(feeds.timeline(follower).page())
    for page, code in CODE:
        if page.stem == "django-notifications-hq" and code.startswith("record("):
            exec(code, names)
    drain()

    assert len(feeds.timeline(follower).page()) == before
    assert sum(group["activity_count"] for group in feeds.notifications(grace).page()) == 5
