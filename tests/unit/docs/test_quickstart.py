"""The quickstart and what goes on with it, followed to the letter in an empty folder by other processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
QUICKSTART = (ROOT / "docs" / "quickstart.md").read_text()
READING = (ROOT / "docs" / "feeds.md").read_text()
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
from django_stream import feeds

for command in ("stream_backfill", "stream_sync", "stream_drain", "stream_server_maintain"):
    try:
        call_command(command)
    except CommandError as error:
        print(command, error)
for read in (feeds.timeline(1).page, lambda: feeds.unseen(1)):
    try:
        read()
    except Exception as error:
        print(type(error).__name__, error)
"""
GO_ON = """
import json
from django.test import Client
from django_stream.feeds import feed_manager

{rows}
again = Tweet.objects.create(author=ada, text="Hello again")
feed_manager.add_activity_to_feed(feed_manager.get_notification_feed(grace), again)
client = Client(SERVER_NAME="localhost")
client.force_login(grace)
answers = {{
    "page": client.get("/feeds/timeline/?limit=1").json(),
    "groups": client.get("/feeds/notification/").json(),
    "mark": client.post(
        "/feeds/notification/", {{"mark_seen": True}}, content_type="application/json"
    ).status_code,
    "newest": client.get("/newest/").content.decode(),
    "verbs": client.get("/verbs/").content.decode(),
}}
client.logout()
answers["profile"] = client.get("/profiles/ada/").json()["results"]
strangers = client.get("/profiles/nobody/"), client.post("/profiles/ada/")
answers["strangers"] = [answer.status_code for answer in strangers]
client.force_login(ada)
client.post("/follow/grace/")
answers["follows"] = Follow.objects.filter(fan=ada, idol=grace).count()
client.post("/follow/grace/", {{"stop": "1"}})
answers["unfollows"] = Follow.objects.filter(fan=ada, idol=grace).count()
client.force_login(grace)
import myapp.registering
answers["own"] = client.get("/feeds/timeline/?limit=1").json()["results"][0]["object"]
print(json.dumps(answers))
"""
GO_ON_URLS = """
from django.http import HttpResponse
from myapp import more
from myapp.badge import badge

def newest(request):
    page = more.newest(request)
    return HttpResponse(f"{len(page)} {badge(request)['unseen']()}")

urlpatterns += [
    path("newest/", newest), path("verbs/", more.verbs), path("follow/<username>/", more.follow),
    path("profiles/<username>/", more.ProfileView.as_view()),
]
"""
VISIT = """
from django.test import Client

{rows}
client = Client(SERVER_NAME="localhost")
sign_in = client.get("/").headers["Location"]
home = client.post(sign_in, {{"username": "grace", "password": "grace"}}, follow=True)
print(home.content.decode())
print(client.get("/feeds/timeline/?limit=25").json()["results"][0]["verb"])
print(client.get("/feeds/notification/").json()["results"])
"""


def blocks(language: str, *marks: str, page: str = QUICKSTART) -> Iterator[str]:
    for found, text in re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL):
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
    (tmp_path / "urls.py").write_text(urls)
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
    behind = "no such table: django_stream_publication: the database is behind the models."
    assert told[0] == f"stream_backfill {behind} {both}"
    assert [line.split()[0] for line in told if line.endswith(both)] == [
        "stream_backfill",
        "stream_sync",
        "stream_drain",
        "stream_server_maintain",
    ]
    assert [line.partition(",")[0] for line in told[4:]] == [
        "ImproperlyConfigured the feeds cannot be read"
    ] * 2

    run(project, "-m", "django", "makemigrations", "myapp")
    assert "models. Run `python manage.py migrate` first." in run(project, *early)


def test_the_page_about_reading_goes_on_from_there(project: Path) -> None:
    python = list(blocks("python", "", page=READING))
    (badge,) = [text for text in python if "def badge" in text]
    (registering,) = [text for text in python if "register_serializer(" in text]
    more = "".join(text for text in python if text not in (badge, registering))
    (project / "myapp" / "more.py").write_text(more)
    (project / "myapp" / "badge.py").write_text("from django_stream import feeds\n" + badge)
    (project / "myapp" / "registering.py").write_text(registering)
    with (project / "urls.py").open("a") as urls:
        urls.write(GO_ON_URLS)
    run(project, "-m", "django", "makemigrations", "myapp")
    run(project, "-m", "django", "migrate", "--verbosity", "0")
    (rows,) = blocks("python", "Follow.objects.create(fan=grace")

    shown = run(project, "-m", "django", "shell", "--no-imports", "-c", GO_ON.format(rows=rows))

    answers = json.loads(shown.splitlines()[-1])
    page, groups = (json.loads(text) for text in blocks("json", "", page=READING))
    assert without_moments(answers["page"]) == without_moments(page)
    assert without_moments(answers["groups"]) == without_moments(groups)
    assert (answers["mark"], answers["newest"], answers["verbs"]) == (204, "2 0", "tweet tweet")
    assert [entry["object"]["text"] for entry in answers["profile"]] == ["Hello again", "Hello"]
    assert answers["strangers"] == [404, 405]
    assert (answers["follows"], answers["unfollows"]) == (1, 0)
    assert f"`{json.dumps(answers['own'])}`" in READING


def without_moments(value: Any) -> Any:
    """The same JSON but for what depends on the hour and on whence an activity came."""
    if isinstance(value, list):
        return [without_moments(one) for one in value]
    if not isinstance(value, dict):
        return value
    names = {"next", "origin", "group", "time", "created_at", "updated_at"}
    masked = {"id"} if "verb" in value else set()
    return {name: "…" if name in names | masked else without_moments(one) for name, one in value.items()}
