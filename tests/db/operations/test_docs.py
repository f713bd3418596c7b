"""What docs/commands.md shows is what the commands say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, get_commands, load_command_class

from django_stream.backends import get_client
from django_stream.database.statistics import analyze
from django_stream.models import OutboxEntry, Publication
from django_stream.server.conf import server_settings
from django_stream.testing import drain_outbox
from django_stream.tracking import activities_paused
from example_project.social.models import Follow, Post

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
FAMILY = ("backfill", "sync", "verify", "repair", "explain", "outbox", "doctor", "person")


def answer(command: str) -> str:
    words = command.removeprefix("python manage.py ").split()
    out = StringIO()
    try:
        call_command(*words, stdout=out, stderr=out)
    except CommandError as error:
        out.write(f"CommandError: {error}\n")
    return out.getvalue()


def without_numbers(text: str) -> str:
    """Keys, ids and moments differ from run to run."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+", "ID", text)
    lines = (line.rstrip() for line in re.sub(r"(?<=[:_ ])\d[\d: -]*\d|(?<=:)\d", "N", text).splitlines())
    return "\n".join(sorted(filter(None, lines)))


def shown(block: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.mark.django_db(databases=["default", "other"])
def test_the_page_tells_what_is_said(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings.SILENCED_SYSTEM_CHECKS = ["django_stream.W046"]
    settings.STREAM_SERVER_FEED_GROUPS = {**server_settings.FEED_GROUPS, "public": {}}
    # The page's keys, wherever the database's sequences are.
    ada, grace = User.objects.create(pk=1, username="ada"), User.objects.create(pk=2, username="grace")
    with activities_paused():
        for number in range(1, 4):
            moment = datetime(2026, 1, number, tzinfo=UTC)
            Post.objects.create(pk=number, author=ada, text=f"Post {number}", created_at=moment)
        Follow.objects.create(pk=1, follower=grace, followed=ada)
    further = count(4)
    for number, block in enumerate(BLOCKS):
        if "stream_verify" in block:
            with activities_paused():
                Post.objects.filter(pk=2).update(popularity=9)
            get_client().feed("user", ada.pk).remove_activity(foreign_id="social.Post:3")
        if "$ python manage.py stream_outbox" in block:
            drain_outbox()
            Post.objects.create(pk=next(further), author=ada, text="Post 4")
        analyze((OutboxEntry, Publication), "default")  # as autovacuum would have done by now
        for command, output in shown(block):
            assert without_numbers(answer(command)) == without_numbers(output), (number, command)


@pytest.mark.parametrize("name", FAMILY)
def test_every_option_is_on_the_page_and_explains_itself(name: str) -> None:
    command = load_command_class(get_commands()[f"stream_{name}"], f"stream_{name}")
    parser = command.create_parser("manage.py", f"stream_{name}")
    django_s = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback"}
    django_s |= {"--no-color", "--force-color", "--skip-checks"}
    for action in parser._actions:  # noqa: SLF001
        option = next((one for one in action.option_strings if one.startswith("--")), None)
        if option is not None and option not in django_s:
            assert action.help
            assert option in PAGE
