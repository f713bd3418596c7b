"""The doctor finds what is wrong, and says what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from django_stream.backends import get_client
from django_stream.client.exceptions import ConnectionFailed
from django_stream.models import Checkpoint, OutboxEntry, Publication
from django_stream.operations import doctor
from django_stream.server.models import Activity, FanoutJob, FileDeletion, Placement
from tests.faults import BreakingTransport, before, client_over
from tests.testapp.models import Article

pytestmark = pytest.mark.django_db(databases=["default", "other"])  # checks ask each


def findings(*args: str) -> dict[str, list[dict[str, Any]]]:
    """What is not well, by what it is about."""
    out = StringIO()
    code = 0
    try:
        call_command("stream_doctor", "--json", *args, stdout=out)
    except CommandError as error:
        code = error.returncode
    *lines, summary = (json.loads(line) for line in out.getvalue().splitlines())
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line["level"] != "ok":
            found.setdefault(line["about"], []).append(line)
    assert (code == 1) == bool(found) == (not summary["ok"])
    return found


@pytest.fixture(autouse=True)
def silenced(settings: Any) -> None:
    settings.SILENCED_SYSTEM_CHECKS = ["django_stream.W046"]


def test_a_healthy_site() -> None:
    assert findings() == {}


def test_the_checks_are_among_the_findings(settings: Any) -> None:
    settings.STREAM_TIMEOUT = "soon"
    assert {one["text"].partition(":")[0] for one in findings()["settings"]} == {"django_stream.E014"}
    assert len(findings("--deploy")["settings"]) > len(findings()["settings"])


def test_an_api_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = before(ConnectionFailed("dead", unsent=True))
    monkeypatch.setattr(doctor, "get_client", lambda: client_over(BreakingTransport(*[dead] * 50)))
    (found,) = findings()["API"]
    assert "cannot be reached" in found["text"]
    assert found["remedy"]


def test_credentials_that_are_refused(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    wrong = type(get_client())("embedded", "wrong" * 10, "1", transport=get_client().api.transport)
    monkeypatch.setattr(doctor, "get_client", lambda: wrong)
    (found,) = findings()["API"]
    assert "STREAM_API_SECRET" in found["remedy"]


def test_a_backend_that_is_none(settings: Any) -> None:
    settings.STREAM_BACKEND = "somewhere"
    assert "STREAM_BACKEND" in findings()["API"][0]["remedy"]


def test_feed_groups_that_the_api_does_not_have(settings: Any) -> None:
    settings.STREAM_NOTIFICATION_FEED = "bell"
    (found,) = findings()["feed groups"]
    assert (
        found["text"] == "STREAM_NOTIFICATION_FEED names the feed group 'bell', which the API does not have"
    )


def test_changes_that_wait_or_are_parked(ada: User) -> None:
    Article.objects.create(author=ada, title="a")
    OutboxEntry.objects.update(created_at=timezone.now() - timedelta(hours=1))
    OutboxEntry.objects.create(model_label="x", object_key="1", parked_at=timezone.now())
    assert [one["level"] for one in findings()["outbox"]] == ["error", "warning"]


def test_what_nobody_claims_and_what_was_killed() -> None:
    Publication.objects.create(model_label="formerly.Article", object_key="1", records=[{}])
    Checkpoint.objects.create(name="stream_backfill testapp.Article")
    Checkpoint.objects.create(name="stream_sync testapp.Subscription#follow", done=True)
    found = findings()
    assert found["ledger"][0]["text"].startswith("formerly.Article is tracked no longer")
    (run,) = found["runs"]
    assert "manage.py stream_backfill testapp.Article --resume" in run["remedy"]


def test_triggers_that_are_missing(settings: Any) -> None:
    settings.STREAM_CAPTURE = "database"
    assert "stream_triggers install" in findings()["triggers"][0]["remedy"]


def test_templates_that_are_not_found(settings: Any) -> None:
    engine = {**settings.TEMPLATES[0], "APP_DIRS": False}
    settings.TEMPLATES = [engine]
    assert len(findings()["templates"]) == 2


def test_a_broker_that_is_down(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    (found,) = findings()["broker"]
    assert "does not answer" in found["text"]


def test_what_breaks_the_doctor_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "outbox_status", lambda using: 1 / 0)
    assert findings()["outbox"][0]["text"] == "ZeroDivisionError: division by zero"


@pytest.mark.skipif(not connection.features.can_rollback_ddl, reason="no rollback would bring it back")
def test_an_index_that_somebody_has_dropped() -> None:
    with connection.cursor() as cursor:
        for name in ("stream_outbox_object", "dss_placement_key"):
            cursor.execute(f"DROP INDEX {name}")
    texts = [one["text"] for one in findings()["indexes"]]
    assert f"the index stream_outbox_object of {OutboxEntry._meta.db_table} is missing" in texts
    assert f"the index dss_placement_key of {Placement._meta.db_table} is missing" in texts
    if connection.vendor == "sqlite":  # PostgreSQL would read all of another index
        assert f"a removal reads the whole table {Placement._meta.db_table}" in texts


def test_jobs_that_nobody_runs() -> None:
    now = timezone.now()
    for moment in (now, now - timedelta(hours=1)):
        FanoutJob.objects.create(feed=1, keys=[], change=FanoutJob.Change.PLACED, touched_at=moment)
    assert findings()["jobs"][0]["text"] == "1 large fan-outs or trees of reactions were left undone"


def test_deleted_files_whose_bytes_stay() -> None:
    note = FileDeletion.objects.create(name="stream/1/a/b.txt", application_id=1)
    assert "files" not in findings(), "it goes with the next maintenance"
    FileDeletion.objects.filter(pk=note.pk).update(noted_at=timezone.now() - timedelta(hours=1))
    (finding,) = findings()["files"]
    assert finding["text"].startswith(
        "1 deleted files have their bytes in the storage still, the oldest for 36"
    )


def test_feeds_with_activities_that_do_not_exist() -> None:
    get_client().feed("user", 1).add_activity({"actor": "a", "verb": "b", "object": "c"})
    Activity.objects.all()._raw_delete("default")  # noqa: SLF001
    assert findings()["orphans"][0]["text"] == "1 feeds list activities that do not exist"
    assert "orphans" in findings("--full")


def test_a_database_with_another_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "seconds_ahead", lambda model, using: -90.0)
    assert "differ by 90 s" in findings()["clock"][0]["text"]


def test_the_quick_part_is_in_the_deployment_checks(ada: User) -> None:
    Article.objects.create(author=ada, title="a")
    OutboxEntry.objects.update(created_at=timezone.now() - timedelta(hours=1))
    told = [
        one
        for one in run_checks(include_deployment_checks=True, databases=["default"])
        if one.id == "django_stream.W071"
    ]
    # Whether a table has statistics depends on what ran before on the same database.
    assert {one.msg.partition(":")[0] for one in told} - {"statistics"} == {"outbox"}
    assert not [one for one in run_checks(databases=["default"]) if one.id == "django_stream.W071"]
    assert len(findings("--deploy")["outbox"]) == 1, "told once"


def test_tables_without_statistics() -> None:
    if connection.vendor != "postgresql":
        assert "statistics" not in findings()
        return
    from django_stream.database.statistics import analyze

    Publication.objects.create(model_label="testapp.Article", object_key="1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [Publication._meta.db_table])
        ((before,),) = cursor.fetchall()
    assert ("statistics" in findings()) == (before < 0)
    analyze([Publication], "default")
    assert "statistics" not in findings()
