"""What a site does not use it does not import: Django starts in a fraction of the time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_SITE = """
import sys
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="start" * 8,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[f"django.contrib.{app}" for app in ("auth", "contenttypes")]
    + ["django_stream", "django_stream.server"],
    **OPTIONS,
)
django.setup()
"""
_USED = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django_stream.backends import get_client
from django_stream.publishing.nudge import nudge
nudge("default")
feed = get_client().feed("user", "1")
feed.add_activity({"actor": "1", "verb": "v", "object": "1"})
assert len(feed.get()["results"]) == 1
"""
_TOLD = "\nprint(*sorted({name.partition('.')[0] for name in sys.modules} & HEAVY))"


def imported(program: str, options: dict[str, str], **environment: str) -> list[str]:
    """Those of the heavy packages that a site imports."""
    heavy = {"amqp", "celery", "kombu", "requests", "rest_framework", "urllib3"}
    source = program.replace("OPTIONS", repr(options)) + _TOLD.replace("HEAVY", repr(heavy))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CELERY_")}
    done = subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=clean | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


EMBEDDED = {"STREAM_BACKEND": "embedded"}


def test_embedded_feeds_without_a_broker_start_without_celery_and_requests() -> None:
    assert imported(_SITE, EMBEDDED) == []


def test_publishing_and_reading_need_no_celery() -> None:
    assert not {"amqp", "celery", "kombu"} & {*imported(_SITE + _USED, EMBEDDED)}


def test_what_a_site_uses_is_there_when_it_is_asked_for() -> None:
    asked = (
        "\nfrom django_stream.client import HttpTransport\nfrom django_stream.client.exceptions import *\n"
    )
    asked += "import requests\nassert issubclass(ConnectionFailed, requests.ConnectionError)\n"

    assert imported(_SITE + asked, EMBEDDED) == ["requests", "urllib3"]


def test_celery_that_the_environment_alone_configures_is_found() -> None:
    asked = "\nfrom django_stream.wakeup import has_workers\nassert has_workers()\n"

    assert "celery" in imported(_SITE + asked, EMBEDDED, CELERY_BROKER_URL="memory://")


@pytest.mark.parametrize(
    ("debug", "key", "starts"), [("0", "", False), ("0", "x" * 50, True), ("1", "", True)]
)
def test_the_example_starts_with_the_known_key_on_ones_own_machine_only(
    debug: str, key: str, starts: bool
) -> None:
    environment = {**os.environ, "DEBUG": debug, "SECRET_KEY": key}
    program = "import example_project.settings"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert (done.returncode == 0) is starts
    assert ("set SECRET_KEY" in done.stderr) is not starts
