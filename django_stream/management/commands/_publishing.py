"""What the commands that publish whole tables share."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from django_stream.activities.kinds import Command, kind_of, publishers_for
from django_stream.activities.unclaimed import claimed, unclaimed
from django_stream.conf import stream_settings
from django_stream.management.commands._family import FamilyCommand, WrongUse
from django_stream.management.commands._progress import progress_of
from django_stream.operations.backfill import Options, backfill, finish
from django_stream.operations.selection import Selection, UnknownSelection
from django_stream.publishing.backfill import note_all, note_gone
from django_stream.publishing.drain import drain
from django_stream.publishing.nudge import nudge, nudges_held
from django_stream.publishing.outbox import refuse_while_disabled
from django_stream.publishing.publisher import Publisher, publishers
from django_stream.publishing.report import DrainReport
from django_stream.wakeup import celery_is_configured


class PublishingCommand(FamilyCommand):
    """Brings the feeds in line with whole tables."""

    name: Command

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "models", nargs="*", metavar="app.Model", help="all tracked models when none is named"
        )
        super().add_arguments(parser)
        parser.add_argument(
            "--force",
            action="store_true",
            help="send even what is known to be there, such as after the API was restored",
        )
        parser.add_argument(
            "--no-drain",
            action="store_true",
            help="only note the rows in the outbox; workers or stream_outbox drain publish them",
        )
        parser.add_argument(
            "--where",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="only rows that a filter of the ORM finds, such as author__is_active=1; may be repeated",
        )
        parser.add_argument(
            "--jobs",
            type=positive,
            default=1,
            metavar="N",
            help="batches in flight, each in a thread with its own connection; SQLite has one",
        )
        parser.add_argument(
            "--rate", type=_rate, metavar="N/s", help="no more requests than this, such as 20/s"
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on where the same command, with the same options, was killed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        labels = options.pop("models")
        try:
            refuse_while_disabled()
        except ImproperlyConfigured as error:
            raise WrongUse(str(error)) from error
        chosen_ = chosen(self.publishers(**options), labels)
        total = DrainReport()
        how = _options(options)
        if not labels and how.selection.is_all and not options["dry_run"]:
            total += self.take_out_unclaimed(**options)
        if options["no_drain"]:
            self._fill_outbox(chosen_, how)
            return
        total += self._publish(chosen_, how)
        self._conclude(total, how)

    def publishers(self, **options: Any) -> list[Publisher]:
        return publishers_for(self.name)

    def _publish(self, chosen_: list[Publisher], how: Options) -> DrainReport:
        total = DrainReport()
        for publisher in chosen_:
            total += self._publish_one(publisher, how)
            if total.out_of_reach:
                return total
        if not how.dry_run:
            # What these rows brought with them, such as reactions to activities that have come.
            total += drain(how.using)
            finish(self.name, chosen_, how.using)
        return total

    def _publish_one(self, publisher: Publisher, how: Options) -> DrainReport:
        name = name_of(publisher)
        with refusing_unknown_selections():
            count = how.selection.rows(publisher, how.using).count()
            with progress_of(self, name, count) as progress:
                done = backfill(self.name, publisher, how, lambda so_far: progress.at(_looked_at(so_far)))
        self.tell(f"{name}: {_looked_at(done)} rows looked at", model=name, **_counts(done))
        return done

    def _conclude(self, total: DrainReport, how: Options) -> None:
        counts = _counts(total)
        verb = "would be sent" if how.dry_run else "sent"
        text = (
            f"{counts['sent']} {verb}, {total.unchanged} were there already, {total.kept_out} do not publish"
        )
        if how.dry_run and total.failed:
            remaining = f"{total.failed} cannot be read: the log tells why"
        else:
            remaining = _remaining(total)
        self.conclude(text, remaining=remaining, **counts)

    def _fill_outbox(self, chosen_: list[Publisher], how: Options) -> None:
        using, total = how.using, 0
        for publisher in chosen_:
            with nudges_held():
                count = sum(note_all(publisher, using, force=how.force))
            self.tell(f"{name_of(publisher)}: {count} rows looked at", model=name_of(publisher), noted=count)
            total += count
        if celery_is_configured() or stream_settings.WORKERS == "django":
            nudge(using, bulk=True)
        self.conclude(f"{total} wait in the outbox", noted=total)

    def take_out_unclaimed(self, **options: Any) -> DrainReport:
        """Withdraw what was published for models that are tracked no longer, under whatever name."""
        using, all_of_them = options["database"], DrainReport()
        for publisher in unclaimed(using, self.name):
            label = publisher.label
            if options["no_drain"]:
                self.tell(f"{label}: tracked no longer; run this without --no-drain", model=label)
                continue
            total = DrainReport()
            with claimed(publisher), nudges_held():
                for _ in note_gone(publisher, using):
                    total += drain(using)
            self.tell(
                f"{label}: tracked no longer, {total.published} taken out", model=label, **_counts(total)
            )
            all_of_them += total
        return all_of_them


def name_of(publisher: Publisher) -> str:
    """A model, and the kind where it is not its activities, with the columns where a table has several."""
    return publisher.label.replace("#", " ")


def _looked_at(report: DrainReport) -> int:
    return report.published + report.failed + report.parked


def _counts(report: DrainReport) -> dict[str, int]:
    sent = report.published - report.unchanged - report.kept_out
    numbers = asdict(report)
    names = ("unchanged", "kept_out", "failed", "parked")
    return {"sent": sent, **{name: numbers[name] for name in names}}


def _remaining(report: DrainReport) -> str:
    if report.out_of_reach:
        return "the API is out of reach: run the same command with --resume later"
    if report.failed or report.parked:
        return (
            f"{report.failed} will be tried again, {report.parked} are parked: "
            "the admin's outbox entries tell why"
        )
    return ""


def _options(options: dict[str, Any]) -> Options:
    selection = Selection(
        since=options.get("since"),
        until=options.get("until"),
        where=dict(_pair(text) for text in options["where"]),
        feed=options.get("feed"),
    )
    if options["no_drain"] and not selection.is_all:
        raise WrongUse("--no-drain notes whole tables: without it, rows can be chosen")
    if options["no_drain"] and options["dry_run"]:
        raise WrongUse("--dry-run sends nothing: leave out --no-drain")
    return Options(
        using=options["database"],
        selection=selection,
        force=options["force"],
        fanout=not options.get("no_fanout"),
        jobs=options["jobs"],
        rate=options["rate"],
        resume=options["resume"],
        dry_run=options["dry_run"],
    )


@contextmanager
def refusing_unknown_selections() -> Iterator[None]:
    try:
        yield
    except UnknownSelection as error:
        raise WrongUse(str(error)) from error


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not (key and separator):
        raise WrongUse(f"--where {text}: say KEY=VALUE, such as --where author=1")
    return key, value


def moment(text: str) -> datetime:
    """A date, or a date and time, in the site's time zone where it names none."""
    try:
        found = parse_datetime(text) if parse_date(text[:10]) else None
        day = parse_date(text) if len(text) <= 10 else None
    except ValueError as error:
        raise ArgumentTypeError(f"{text}: {error}") from error
    found = datetime.combine(day, time()) if day else found
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no date and no time: say 2026-01-31 or 2026-01-31T12:00")
    return timezone.make_aware(found) if settings.USE_TZ and timezone.is_naive(found) else found


def positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text.removesuffix("/s"))
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no rate: say 10/s")
    return rate


def chosen(publishers: Iterable[Publisher], labels: list[str]) -> list[Publisher]:
    """The publishers of the named models, all of them when none is named; WrongUse for an unknown one."""
    publishers = list(publishers)
    named = {label.lower(): label for label in labels}
    known = {one.model._meta.label_lower: one.model._meta.label for one in publishers}
    if unknown := [label for lower, label in named.items() if lower not in known]:
        elsewhere = " ".join(hint for label in unknown if (hint := _elsewhere(label)))
        there = ", ".join(known.values()) or "none"
        raise WrongUse(elsewhere or f"{', '.join(unknown)}: no such tracked model. Tracked here: {there}.")
    return [one for one in publishers if not named or one.model._meta.label_lower in named]


def _elsewhere(label: str) -> str | None:
    """What to type instead, when the other command is for this model."""
    for one in publishers():
        name = one.model._meta.label
        if name.lower() == label.lower():
            return f"{name} is for `python manage.py {kind_of(one).command} {name}`."
    return None
