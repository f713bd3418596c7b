"""Two applications with equal ids live side by side, and neither notices the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import transaction

from django_stream.server.conf import server_settings
from django_stream.server.fanout import jobs
from django_stream.server.models import ApiKey, Application
from django_stream.server.reads import large_values
from tests.contract.calling import Api
from tests.db.server.isolation.belongings import Rows, belongings
from tests.db.server.isolation.life import LIFE, App, Step

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 2, 1, tzinfo=UTC)
Moment = tuple[Any, Rows]
"""What one step of an application answers, and all that the application has after it."""


@pytest.fixture
def apps() -> list[App]:
    """The site's own, and one beside it."""
    key = ApiKey.objects.create(application=Application.objects.create(id=77))
    here = App("one", server_settings.own_app_id, Api())
    return [here, App("two", key.application_id, Api(api_key=key.key, secret=key.secret()))]


def moments(app: App) -> Iterator[Moment]:
    for number, step in enumerate(LIFE):
        with time_machine.travel(BEGIN + timedelta(seconds=number), tick=False):
            yield moment(app, step)


def moment(app: App, step: Step) -> Moment:
    if step.method == "GET":
        return step.take(app), {}
    before = belongings()
    answer = step.take(app)
    jobs.resume(idle_seconds=0)
    after = belongings()
    others = (before.keys() | after.keys()) - {app.number}
    for other in others:
        assert after.get(other) == before.get(other), f"{app.name}: {step} touched what is another's"
    return answer, after.get(app.number, {})


def alone(app: App) -> list[Moment]:
    """The life of an application that is the only one."""
    with transaction.atomic():
        lived = list(moments(app))
        transaction.set_rollback(True)
    return lived


@pytest.mark.parametrize("served", ["at once", "in chunks"])
def test_two_applications_with_equal_ids_never_notice_each_other(
    apps: list[App], settings: Any, tmp_path: Path, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.STREAM_SERVER_RATE_LIMITS = dict.fromkeys(("collections", "users", "reactions"), None)
    if served == "in chunks":
        settings.STREAM_SERVER_FANOUT_INLINE_MAX, settings.STREAM_SERVER_FANOUT_CHUNK = 0, 1
        monkeypatch.setattr(large_values, "_SHORT", 0)  # whatever is shown is fetched by itself
    expected = [alone(app) for app in apps]
    together = zip(*(moments(app) for app in apps), strict=True)
    for number, (step, now) in enumerate(zip(LIFE, together, strict=True)):
        for app, then, (answer, rows) in zip(apps, expected, now, strict=True):
            assert answer == then[number][0], f"{app.name}: {step}, step {number}"
            assert rows == then[number][1], f"{app.name}: after {step}, step {number}"
