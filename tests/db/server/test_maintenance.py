"""What a server wants done now and then is one command, or one task."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from django_stream.feeds import feed_manager
from django_stream.server import background, tasks
from django_stream.server.models import AuditLog, FanoutJob

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("by", ["command", "task"])
def test_old_audit_entries_are_deleted_and_young_ones_stay(by: str) -> None:
    feed = feed_manager.get_user_feed("1")
    for name in ("old", "young"):
        feed.add_activity({"actor": "1", "verb": "x", "object": name})
    old = AuditLog.objects.order_by("pk").first()
    assert old is not None
    AuditLog.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))

    out = StringIO()
    if by == "command":
        call_command("stream_server_maintain", stdout=out)
        assert out.getvalue() == ("0 jobs resumed, 1 audit log entries and 0 events of streams deleted\n")
    else:
        tasks.maintain()

    assert AuditLog.objects.count() == 1
    assert not AuditLog.objects.filter(pk=old.pk).exists()


def test_a_job_that_fails_keeps_no_other_one_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []
    now = timezone.now()
    jobs = [FanoutJob.objects.create(feed=1, keys=[], change="placed", touched_at=now).pk for _ in range(3)]

    def step(number: int) -> bool:
        if number == jobs[0]:
            raise RuntimeError("for ever")
        done.append(number)
        return False

    monkeypatch.setattr(background, "_kinds", {})
    background.register("some.task", FanoutJob, step)
    assert background.resume("some.task", 0) == 3
    assert sorted(done) == jobs[1:]
    assert f"job {jobs[0]}" in caplog.text
