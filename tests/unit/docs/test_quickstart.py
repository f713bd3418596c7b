"""The quickstart, followed to the letter in an empty folder by a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
QUICKSTART = (ROOT / "docs" / "quickstart.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", QUICKSTART, re.DOTALL)
REST_OF_THE_SETTINGS = """
SECRET_KEY = "quickstart"
ROOT_URLCONF = "urls"
DEBUG = True
STATIC_URL = "static/"
USE_TZ = True
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
TOO_EARLY = """
from django.core.management import CommandError, call_command
from django_stream.feeds import paging

for command in ("stream_backfill", "stream_sync", "stream_drain", "stream_server_maintain"):
    try:
        call_command(command)
    except CommandError as error:
        print(command, error)
try:
    paging.timeline(1).page()
except Exception as error:
    print(type(error).__name__, error)
"""
VISIT = """
from django.test import Client

{rows}
client = Client(SERVER_NAME="localhost")
client.force_login(grace)
print(client.get("/").content.decode())
print(client.get("/feeds/timeline/?limit=25").json()["results"][0]["verb"])
print(client.get("/feeds/notification/").json()["results"])
"""


def blocks(language: str, *marks: str) -> Iterator[str]:
    for found, text in BLOCKS:
        if found == language and any(mark in text for mark in marks):
            yield text


def run(folder: Path, *args: str, stdin: str | None = None) -> str:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
    }
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:django_stream", *args],
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "myapp" / "migrations").mkdir(parents=True)
    (tmp_path / "myapp" / "templates" / "activity").mkdir(parents=True)
    for package in ("myapp", "myapp/migrations"):
        (tmp_path / package / "__init__.py").touch()
    settings = "\n".join(blocks("python", "INSTALLED_APPS = [", "DATABASES = {"))
    (tmp_path / "settings.py").write_text(settings + REST_OF_THE_SETTINGS)
    (tmp_path / "myapp" / "models.py").write_text("".join(blocks("python", "# myapp/models.py")))
    (tmp_path / "myapp" / "views.py").write_text("".join(blocks("python", "# myapp/views.py")))
    (urls,) = blocks("python", "# urls.py")
    (tmp_path / "urls.py").write_text(
        urls + '\nfrom myapp.views import home\nurlpatterns += [path("", home)]\n'
    )
    for name in ("home.html", "activity/tweet.html"):
        (tmp_path / "myapp" / "templates" / name).write_text(
            "".join(blocks("html", f"myapp/templates/{name} "))
        )
    return tmp_path


def test_the_quickstart_works_as_it_is_written(project: Path) -> None:
    manage = ("-m", "django")
    run(project, *manage, "makemigrations", "myapp")
    run(project, *manage, "migrate", "--verbosity", "0")
    assert "no issues" in run(project, *manage, "check", "--fail-level", "WARNING")
    (rows,) = blocks("python", "Follow.objects.create")

    shown = run(project, *manage, "shell", "--no-imports", "-c", VISIT.format(rows=rows))

    assert "<p><b>ada</b>: Hello</p>" in shown
    assert "\ntweet\n[]\n" in shown
    assert "1 rows looked at" in run(project, *manage, "stream_sync")
    assert "1 rows looked at" in run(project, *manage, "stream_backfill")


def test_who_forgets_to_migrate_is_told_so(project: Path) -> None:
    early = ("-m", "django", "shell", "--no-imports", "-c", TOO_EARLY)
    told = run(project, *early).splitlines()
    both = "Run `python manage.py makemigrations && python manage.py migrate` first."
    assert told[0] == f"stream_backfill no such table: myapp_tweet: the database is behind the models. {both}"
    assert [line.split()[0] for line in told if line.endswith(both)] == [
        "stream_backfill",
        "stream_sync",
        "stream_drain",
        "stream_server_maintain",
    ]
    assert told[4].startswith("ImproperlyConfigured the feeds cannot be read")

    run(project, "-m", "django", "makemigrations", "myapp")
    assert "models. Run `python manage.py migrate` first." in run(project, *early)
