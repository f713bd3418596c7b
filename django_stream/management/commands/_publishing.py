"""What the commands that publish share: which models, and a drain with progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from django_stream.activities.kinds import kind_of
from django_stream.database.commands import DatabaseCommand
from django_stream.publishing.backfill import note_all
from django_stream.publishing.drain import drain
from django_stream.publishing.nudge import nudge, nudges_held
from django_stream.publishing.publisher import Publisher, publishers
from django_stream.publishing.report import DrainReport
from django_stream.wakeup import celery_is_configured


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
    publishers = list(publishers)
    named = {label.lower(): label for label in labels}
    known = {one.model._meta.label_lower: one.model._meta.label for one in publishers}
    if unknown := [label for lower, label in named.items() if lower not in known]:
        elsewhere = " ".join(hint for label in unknown if (hint := _elsewhere(label)))
        there = ", ".join(known.values()) or "none"
        raise CommandError(
            elsewhere or f"{', '.join(unknown)}: no such tracked model. Tracked here: {there}."
        )
    return [one for one in publishers if not named or one.model._meta.label_lower in named]


def _elsewhere(label: str) -> str | None:
    """What to type instead, when the other command is for this model."""
    for one in publishers():
        name = one.model._meta.label
        if name.lower() == label.lower():
            return f"{name} is for `python manage.py {kind_of(one).command} {name}`."
    return None
