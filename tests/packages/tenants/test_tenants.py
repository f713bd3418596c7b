"""Each tenant has feeds of its own, and a task is run in the schema whose rows have changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import setup_databases, teardown_databases
from django_tenants.utils import schema_context
from tenant_schemas_celery.app import CeleryApp

from django_stream.models import OutboxEntry
from django_stream.publishing.nudge import nudges_held
from django_stream.tracking import drain
from django_stream.wakeup import waker
from tests.packages.tenants.models import Tenant
from tests.packages.tenants.notes.models import Note

# tenant-schemas-celery reads its clock so.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

NAMES = ("north", "south", "west")


@pytest.fixture(scope="module", autouse=True)
def tenants(django_db_blocker: Any) -> Iterator[None]:
    """Three tenants, each with a user of the same key; committed, so that a worker sees them."""
    with django_db_blocker.unblock():
        # The plugin's own database is for tests that roll back, or truncate what the tenants share.
        databases = setup_databases(verbosity=0, interactive=False)
        for name in NAMES:
            Tenant(schema_name=name, name=name).save(verbosity=0)
            with schema_context(name):
                User.objects.create(pk=1, username=f"ada of {name}")
        yield
        teardown_databases(databases, verbosity=0)


@pytest.fixture(autouse=True)
def nothing_left(tenants: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield
        for name in NAMES:
            with schema_context(name):
                Note.objects.all().delete()
                drain()
                assert texts() == []


@pytest.fixture
def site_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[CeleryApp]:
    """The project's Celery app, as tenant-schemas-celery asks for it; the broker is in this process."""
    app = CeleryApp("site", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.update(task_default_queue="tenants", broker_connection_retry_on_startup=True)
    import django_stream.tasks  # noqa: F401

    before = current_app._get_current_object()  # noqa: SLF001
    app.set_current()
    app.set_default()
    yield app
    before.set_current()
    before.set_default()


def texts() -> list[str]:
    from django_stream.backends import get_client

    return [one["text"] for one in get_client().feed("user", "1").get(limit=100)["results"]]


def write(name: str, text: str) -> None:
    with schema_context(name):
        Note.objects.create(user_id=1, text=text)


def check_feeds() -> None:
    for name in NAMES:
        with schema_context(name):
            assert texts() == list(Note.objects.order_by("-created_at").values_list("text", flat=True))
            assert not OutboxEntry.objects.exists()


def test_without_celery_each_tenant_drains_its_own() -> None:
    for name in NAMES:
        write(name, f"note of {name}")

    check_feeds()


@contextmanager
def worker(app: CeleryApp) -> Iterator[None]:
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        yield


def test_tasks_run_in_the_schema_of_the_change(site_app: CeleryApp) -> None:
    with worker(site_app):
        for name in (*NAMES, *NAMES):
            write(name, f"note of {name}")
        assert waker.flush(30)
        for name in NAMES:
            wait_until_drained(name)

    check_feeds()


def wait_until_drained(name: str) -> None:
    from tests.services.processes import wait_until

    def drained() -> bool:
        with schema_context(name):
            return not OutboxEntry.objects.exists()

    wait_until(drained, f"the outbox of {name} is empty", within=30)


def test_messages_of_two_tenants_are_not_taken_for_one(
    site_app: CeleryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        site_app, "send_task", lambda *args, headers, **options: sent.append(headers["_schema_name"])
    )
    for name in NAMES:
        write(name, "a")

    assert waker.flush(30)
    assert sorted(sent) == sorted(NAMES)


def test_what_replaces_a_message_runs_in_the_schema_too(site_app: CeleryApp) -> None:
    site_app.conf.broker_url = "amqp://127.0.0.1:1//"
    ran: list[str] = []
    for name in NAMES:
        with schema_context(name):
            waker.send("some.task", (name,), on_failure=lambda: ran.append(connection.schema_name))

    assert waker.flush(30)
    assert ran == list(NAMES)


def test_a_rollback_in_one_tenant_wakes_nobody() -> None:
    with schema_context("north"), pytest.raises(ZeroDivisionError), transaction.atomic():
        Note.objects.create(user_id=1, text="a")
        raise ZeroDivisionError

    check_feeds()


def test_the_outboxes_of_all_tenants_are_drained_by_one_command(capsys: Any) -> None:
    with nudges_held():
        for name in NAMES:
            write(name, "a")
    call_command("all_tenants_command", "stream_drain", no_public=True)

    check_feeds()
