"""What the commands that publish share: which models, and a drain with progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from django_stream.database.commands import DatabaseCommand
from django_stream.publishing.backfill import note_all
from django_stream.publishing.drain import drain
from django_stream.publishing.nudge import celery_is_configured, nudge, nudges_held
from django_stream.publishing.publisher import Publisher, publishers
from django_stream.publishing.report import DrainReport


class PublishingCommand(DatabaseCommand):
    """Notes all rows of some models in the outbox, then drains it."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "models", nargs="*", metavar="app.Model", help="all tracked models when none is named"
        )
        parser.add_argument(
            "--database",
            default=DEFAULT_DB_ALIAS,
            choices=list(connections),
            help="alias of the database with the rows",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="send even what is known to be there",
        )
        parser.add_argument(
            "--no-drain", action="store_true", help="only fill the outbox; workers or stream_drain publish it"
        )

    def publish_all(self, publishers: Iterable[Publisher], **options: Any) -> None:
        using, total = options["database"], DrainReport()
        for publisher in publishers:
            name = " ".join((publisher.model._meta.label, publisher.kind)).strip()
            count = 0
            for written in _noted(publisher, options):
                count += written
                if options["verbosity"] > 1:
                    self.stdout.write(f"  {name}: {count} so far")
                if not options["no_drain"]:
                    total += drain(using)
            self.stdout.write(f"{name}: {count} rows looked at")
        if not options["no_drain"]:
            sent = total.published - total.unchanged
            self.stdout.write(f"{sent} sent, {total.unchanged} were there already")
        elif celery_is_configured():
            nudge(using, bulk=True)
        self.report(total)

    def report(self, outcome: DrainReport) -> None:
        if outcome.failed or outcome.parked:
            self.stderr.write(
                self.style.WARNING(
                    f"{outcome.failed} will be tried again, {outcome.parked} are parked: "
                    "the admin's outbox entries tell why"
                )
            )


def _noted(publisher: Publisher, options: dict[str, Any]) -> Iterator[int]:
    """The drain that publishes these rows is ours, so that it can be told what became of them."""
    steps = note_all(publisher, options["database"], force=options["force"])
    while True:
        with nudges_held():
            count = next(steps, None)
        if count is None:
            return
        yield count


def chosen(publishers: Iterable[Publisher], labels: list[str]) -> list[Publisher]:
    """The publishers of the named models, all of them when none is named; CommandError for an unknown one."""
    by_label: dict[str, list[Publisher]] = {}
    for publisher in publishers:
        by_label.setdefault(publisher.model._meta.label_lower, []).append(publisher)
    unknown = [label for label in labels if label.lower() not in by_label]
    if unknown:
        known = ", ".join(found[0].model._meta.label for found in by_label.values()) or "none"
        elsewhere = [hint for label in unknown if (hint := _elsewhere(label))]
        raise CommandError(
            " ".join(elsewhere) or f"{', '.join(unknown)}: no such tracked model. Tracked here: {known}."
        )
    return [one for label in labels or by_label for one in by_label[label.lower()]]


def _elsewhere(label: str) -> str | None:
    """Where a model is for the other command, what to type instead."""
    for one in publishers():
        name = one.model._meta.label
        if name.lower() == label.lower():
            what, command = ("", "stream_sync") if one.kind == "follow" else ("no ", "stream_backfill")
            return f"{name} holds {what}follows: run `python manage.py {command} {name}`."
    return None
