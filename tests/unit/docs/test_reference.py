"""Every setting, check and signal has its line in the reference, and links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from django.dispatch import Signal

from django_stream import signals
from django_stream.conf import stream_settings
from django_stream.server.conf import server_settings

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
SOURCES = [path.read_text() for path in (ROOT / "django_stream").rglob("*.py")]


@pytest.mark.parametrize("name", stream_settings.names())
def test_every_setting_is_listed_with_its_default(name: str) -> None:
    (line,) = re.findall(rf"^\| `{name}` \| (.*?) \|", SETTINGS, re.MULTILINE)
    default = getattr(type(stream_settings), name.removeprefix("STREAM_"))

    if default is not None or name == "STREAM_LOCATION":
        assert line == f"`{_written(default)}`"


def _written(default: object) -> str:
    if isinstance(default, tuple):
        return "(" + ", ".join(f'"{one}"' for one in default) + ")"
    return f'"{default}"' if isinstance(default, str) else str(default)


@pytest.mark.parametrize("name", server_settings.names())
def test_every_setting_of_the_server_is_listed(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "server.md").read_text()


def test_every_check_is_listed_and_every_listed_check_exists() -> None:
    listed = set(re.findall(r"^\| `(django_stream\.[EW]\d+)`", SETTINGS, re.MULTILINE))
    raised = {found for source in SOURCES for found in re.findall(r'"(django_stream\.[EW]\d+)"', source)}

    assert listed == raised


def test_every_signal_is_listed() -> None:
    for name, value in vars(signals).items():
        if isinstance(value, Signal):
            assert f"`{name}`" in SETTINGS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_docs_say_whose_project_this_is_not() -> None:
    assert "not affiliated with" in (ROOT / "README.md").read_text()


def test_every_extra_is_in_the_table_of_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    readme = (ROOT / "README.md").read_text()
    for_work = {"demo", "tests", "dev", "packages", "mutants", "scale", "schemathesis"}

    assert [
        extra
        for extra in project["optional-dependencies"].keys() - for_work
        if f"\n| `{extra}` |" not in readme
    ] == []


def test_the_schedule_for_beat_holds_every_task_that_is_to_be_scheduled() -> None:
    page = (ROOT / "docs" / "publishing.md").read_text()

    for task in ("django_stream.drain_outbox", "django_stream.server.maintain"):
        assert f'{{"task": "{task}", "schedule"' in page
