"""The page about notifications is true: its code is run as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from celery.schedules import crontab
from django.contrib.auth.models import User
from django.core import mail

from django_stream import feeds
from django_stream.notifications import Digest, send_digests
from django_stream.notifications.tasks import send_due_digests
from tests.db.notifications.conftest import DAY, NOON, Tell

PAGE = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def run(mark: str, into: dict[str, Any] | None = None) -> dict[str, Any]:
    (block,) = [one for one in BLOCKS if mark in one]
    names: dict[str, Any] = {} if into is None else into
    exec(block, names)
    return names


@pytest.mark.django_db(transaction=True)
def test_dismissing_and_choosing(tell: Tell, grace: User) -> None:
    for day in range(2):
        tell(created_at=NOON + day * DAY)
    names = run("def tidy(")
    names["tidy"](grace)
    assert len(feeds.notifications(grace).page()) == 0

    run("def choose(", names)
    assert names["choose"](grace) == (False, "daily")

    tell(created_at=NOON + 5 * DAY)
    run("async def tidy_later", names)
    chosen = async_to_sync(names["tidy_later"])(grace)
    assert (chosen.verbs["like"].in_feed, chosen.digest) == (False, "off")
    assert feeds.unseen(grace) == 0


@pytest.mark.django_db
@pytest.mark.urls("tests.db.site.urls")
def test_e_mails_as_the_settings_of_the_page_say(tell: Tell, grace: User, settings: Any) -> None:
    User.objects.update(email="x@example.com")
    tell()
    named = run("INSTALLED_APPS")
    assert {"django_stream", "django_stream.notifications", "django_stream.server"} == set(
        named["INSTALLED_APPS"]
    )
    settings.STREAM_NOTIFICATIONS_BASE_URL = named["STREAM_NOTIFICATIONS_BASE_URL"]
    settings.STREAM_NOTIFICATIONS_DIGEST = named["STREAM_NOTIFICATIONS_DIGEST"]
    own = run("class OwnDigest")["OwnDigest"]
    assert issubclass(own, Digest)
    globals()["OwnDigest"] = own
    settings.STREAM_NOTIFICATIONS_DIGEST_CLASS = f"{__name__}.OwnDigest"

    assert send_digests().sent == 1
    assert mail.outbox[0].subject == "1 new notification"
    (schedule,) = run("CELERY_BEAT_SCHEDULE")["CELERY_BEAT_SCHEDULE"].values()
    assert schedule == {"task": send_due_digests.name, "schedule": crontab(hour=7, minute=0)}
    assert len(run("include(")["urlpatterns"]) == 1
