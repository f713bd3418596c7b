"""The three measurements; each takes turns with its peer, so that what slows the machine slows both."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benchmarks.publishing.models import Captured, Note, Tracked, Untracked
from benchmarks.publishing.stub import Stub
from django_stream.backends import get_client
from django_stream.client import StreamClient
from django_stream.models import OutboxEntry, Publication
from django_stream.tracking import activities_paused, drain

Figures = dict[str, float]
MODELS: tuple[type[Note], ...] = (Untracked, Tracked, Captured)
_TEXT = "What a person may have to say about something. " * 4


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@contextmanager
def api_latency(value: float) -> Iterator[None]:
    Stub.latency = value
    try:
        yield
    finally:
        Stub.latency = 0.0


def note(model: type[Note], user: User, number: int) -> Any:
    return model(user=user, title=f"note {number}", text=_TEXT)


def queries_of_save(user: User) -> Figures:
    """Queries inside the transaction."""
    counts = {}
    for model in MODELS:
        with transaction.atomic():
            note(model, user, 0).save()  # the first one looks whether triggers are there
            row = note(model, user, 0)
            with CaptureQueriesContext(connection) as captured:
                row.save()
            counts[model.__name__] = float(len(captured))
            transaction.set_rollback(True)
    return counts


def save(user: User, pairs: int, latency: float) -> dict[str, Figures]:
    """Milliseconds of saving a new row and an old one inside `atomic()`; the commit publishes them."""
    times: dict[str, dict[str, list[float]]] = {
        kind: {model.__name__: [] for model in MODELS} for kind in ("create", "edit")
    }
    with api_latency(latency), transaction.atomic():
        for number in range(pairs):
            for model in MODELS if number % 2 else MODELS[::-1]:
                row = note(model, user, number)
                times["create"][model.__name__].append(seconds(row.save))
                row.title += "!"
                times["edit"][model.__name__].append(seconds(row.save))
    return {
        kind: {name: statistics.median(taken) * 1000 for name, taken in by_model.items()}
        for kind, by_model in times.items()
    }


def bulk_create(user: User, rows: int, rounds: int) -> tuple[Figures, Figures]:
    """Seconds, and the peak of the memory that Python asks for, in MB."""
    times: dict[str, list[float]] = {model.__name__: [] for model in MODELS}
    peaks = {}
    for turn in range(rounds + 1):
        for model in MODELS if turn % 2 else MODELS[::-1]:
            objects = [note(model, user, number) for number in range(rows)]
            with transaction.atomic():
                if turn < rounds:
                    times[model.__name__].append(seconds(lambda: model.objects.bulk_create(objects)))  # noqa: B023
                else:
                    tracemalloc.start()
                    model.objects.bulk_create(objects)
                    peaks[model.__name__] = tracemalloc.get_traced_memory()[1] / 1e6
                    tracemalloc.stop()
                transaction.set_rollback(True)
    return {name: statistics.median(taken) for name, taken in times.items()}, peaks


def drain_creates(users: list[User], rows: int, rounds: int) -> Figures:
    """Seconds for publishing rows that were just created: by hand, and by the drain."""
    ways = {"by hand": by_hand, "from an outbox by hand": by_hand_from_outbox, "drain": drain}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, publish in ways.items():
            fill(users, rows)
            before = Stub.activities
            times[name].append(seconds(publish))
            assert Stub.activities - before == rows, "each sends everything"
        assert not OutboxEntry.objects.exists()
    return {name: statistics.median(taken) for name, taken in times.items()}


def fill(users: list[User], rows: int) -> None:
    """Rows of several authors in runs, each with its outbox entry, and nothing published yet."""
    for model in (Tracked, Publication, OutboxEntry):
        model._base_manager.all()._raw_delete("default")  # type: ignore[attr-defined]
    with transaction.atomic(), activities_paused():
        for start in range(0, rows, 10_000):
            some = range(start, min(start + 10_000, rows))
            Tracked.objects.bulk_create(note(Tracked, users[start // 10_000 % len(users)], n) for n in some)
    pks = Tracked.objects.order_by("pk").values_list("pk", flat=True)
    entries = (OutboxEntry(model_label="measured.Tracked", object_key=str(pk)) for pk in pks.iterator())
    OutboxEntry.objects.bulk_create(entries, batch_size=1000)


def by_hand() -> None:
    """What one writes for a single run, when nothing fails and nobody else works: read, build, send."""
    client = get_client()
    last = 0
    while rows := list(Tracked.objects.filter(pk__gt=last).select_related("user").order_by("pk")[:100]):
        last = rows[-1].pk
        send_by_hand(client, rows)


def by_hand_from_outbox() -> None:
    """The least that is not lost when it is killed: entries locked, sent and deleted in one transaction."""
    client = get_client()
    while True:
        with transaction.atomic():
            due = OutboxEntry.objects.order_by("id")
            if connection.features.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True)
            entries = dict(due.values_list("id", "object_key")[:100])
            if not entries:
                return
            keys = list(entries.values())
            send_by_hand(client, list(Tracked.objects.filter(pk__in=keys).select_related("user")))
            OutboxEntry.objects.filter(id__in=entries).delete()


def send_by_hand(client: StreamClient, rows: list[Tracked]) -> None:
    by_author: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        by_author.setdefault(row.user_id, []).append(
            {
                "actor": f"auth.User:{row.user.pk}",
                "verb": "tracked",
                "object": f"measured.Tracked:{row.pk}",
                "foreign_id": f"measured.Tracked:{row.pk}",
                "time": row.created_at,
                "title": row.title,
            }
        )
    for author, activities in by_author.items():
        client.feed("user", author).add_activities(activities)
