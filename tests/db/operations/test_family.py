"""All commands of the family take the same options, explain themselves, and end with the same exit codes."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from django_stream.management.commands._family import FamilyCommand

NAMES = sorted(
    name
    for name, app in get_commands().items()
    if app == "django_stream" and isinstance(load_command_class(app, name), FamilyCommand)
)
READ_ONLY = {"stream_compare", "stream_doctor", "stream_explain", "stream_verify"}
MOVING = {"stream_compare", "stream_import", "stream_move"}
"""They need tables of other packages or another home, which are not here."""
ARGUMENTS: dict[str, list[str]] = {
    "stream_explain": ["--feed", "timeline:1"],
    "stream_move": ["--to", "hosted"],
    "stream_outbox": ["status"],
    "stream_person": ["erase", "1"],
}


def command(name: str) -> FamilyCommand:
    found = load_command_class("django_stream", name)
    assert isinstance(found, FamilyCommand)
    return found


def test_the_family_is_complete() -> None:
    words = ("backfill", "doctor", "explain", "outbox", "person", "repair", "sync", "verify")
    assert {f"stream_{word}" for word in words} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_the_options_of_all_and_explains_them(name: str) -> None:
    parser = command(name).create_parser("manage.py", name)
    options = {option: action for action in parser._actions for option in action.option_strings}  # noqa: SLF001
    assert {"--json", "--quiet", "--database"} <= options.keys()
    assert ("--dry-run" in options) == (name not in READ_ONLY)
    text = parser.format_help()
    for option, action in options.items():
        assert option in text
        assert action.help


@pytest.mark.parametrize("name", NAMES)
def test_wrong_use_is_exit_code_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--colour", "red"], ["--database", "nowhere"]):
        with pytest.raises(SystemExit) as ended:
            command(name).run_from_argv(["manage.py", name, *ARGUMENTS.get(name, []), *words])
        assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.django_db(databases=["default", "other"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in MOVING])
def test_json_ends_with_a_summary_and_quiet_says_nothing(name: str, settings: Any) -> None:
    settings.SILENCED_SYSTEM_CHECKS = ["django_stream.W046"]
    arguments = ARGUMENTS.get(name, [])
    changes = [] if name in READ_ONLY else ["--dry-run"]
    out = StringIO()
    code = 0
    try:
        call_command(name, *arguments, *changes, "--json", stdout=out, stderr=out)
    except CommandError as error:
        code = error.returncode
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line.get("summary", False) for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1]["ok"] == (code == 0)

    out = StringIO()
    call_command(name, *arguments, *changes, "--quiet", stdout=out, stderr=out)
    assert out.getvalue() == ""
