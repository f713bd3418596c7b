"""`manage.py stream_outbox status|drain|retry|park|prune`: what waits, and what to do with it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from django_stream.management.commands._family import FamilyCommand, WrongUse
from django_stream.management.commands._publishing import positive
from django_stream.management.commands._relay import relay
from django_stream.models import OutboxEntry
from django_stream.operations.doctor import queued
from django_stream.operations.verify import inspection_of_home
from django_stream.publishing.drain import drain
from django_stream.publishing.parking import discard, park, retry_parked
from django_stream.publishing.report import DrainReport
from django_stream.publishing.status import outbox_status, status_by_model

ACTIONS = ("status", "drain", "retry", "park", "prune")


class Command(FamilyCommand):
    help = (
        "status: what waits, since when and why. drain: publish what is due (--watch: go on until SIGTERM). "
        "retry: make parked changes due again. park: try waiting ones no longer. prune: forget parked ones. "
        "A change is parked when it has failed too often."
    )
    example = "drain --watch"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=ACTIONS, help="what to do")
        parser.add_argument(
            "models", nargs="*", metavar="app.Model", help="retry, park, prune: only of these"
        )
        super().add_arguments(parser)
        parser.add_argument(
            "--watch", action="store_true", help="drain: go on until SIGTERM, in place of a worker"
        )
        parser.add_argument(
            "--every",
            type=float,
            default=10.0,
            metavar="SECONDS",
            help="with --watch: look this often, even when nothing was told of (10)",
        )
        parser.add_argument(
            "--days",
            type=positive,
            default=30,
            metavar="N",
            help="prune: only what is parked for so long (30)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        if options["watch"] and action != "drain":
            raise WrongUse("--watch is for `stream_outbox drain`")
        if action in ("status", "drain"):
            getattr(self, f"_{action}")(options)
        else:
            self._change(action, options)

    def _status(self, options: dict[str, Any]) -> None:
        using = options["database"]
        for one in status_by_model(using):
            reason = f", {one.reason}" if one.reason else ""
            self.tell(f"{one.label}: {one.waiting} waiting, {one.parked} parked{reason}", **asdict(one))
        self._backlog()
        found = outbox_status(using)
        text = f"{found.depth} waiting, the oldest for {found.oldest_seconds:.0f} s, {found.parked} parked"
        self.conclude(text, remaining=f"{found.parked} parked" if found.parked else "", **asdict(found))

    def _backlog(self) -> None:
        """What waits elsewhere: in the queues of Celery, and in the jobs of an embedded server."""
        try:
            for queue, count in queued().items():
                self.tell(f"queue {queue}: {count} messages", queue=queue, messages=count)
        except Exception as error:  # each kind of broker has errors of its own
            self.tell(f"the broker does not answer: {error}", broker=str(error))
        home = inspection_of_home()
        if home is not None and (jobs := home.idle_jobs(0.0)):
            self.tell(f"{jobs} large jobs of the server are not done", jobs=jobs)

    def _drain(self, options: dict[str, Any]) -> None:
        using = options["database"]
        if options["dry_run"]:
            self.conclude(f"{outbox_status(using).depth} waiting", waiting=outbox_status(using).depth)
            return
        if options["watch"]:
            relay([using], options["every"], self._report)
            self.conclude("stopped")
            return
        total = drain(using)
        failed = f"{total.failed} will be tried again, {total.parked} are parked"
        self.conclude(told(total), remaining=failed if total.failed or total.parked else "", **asdict(total))

    def _report(self, total: DrainReport) -> None:
        self.tell(told(total), **asdict(total))

    def _change(self, action: str, options: dict[str, Any]) -> None:
        using = options["database"]
        entries = OutboxEntry.objects.using(using)
        if options["models"]:
            entries = entries.filter(model_label__in=_labels(entries, options["models"]))
        if options["dry_run"]:
            self.conclude(
                f"{_concerned(action, entries, options)} entries",
                entries=_concerned(action, entries, options),
            )
            return
        if action == "retry":
            count, done = retry_parked(using, entries), "are due again"
        elif action == "park":
            count, done = park(entries, "parked by stream_outbox"), "are parked"
        else:
            count, done = discard(entries, _long_ago(options)), "are forgotten"
        self.conclude(f"{count} entries {done}", entries=count)


def told(total: DrainReport) -> str:
    """One line about a drain."""
    return f"published {total.published}, to be retried {total.failed}, parked {total.parked}"


def _labels(entries: QuerySet[OutboxEntry], models: list[str]) -> list[str]:
    """Labels of the outbox, whatever their kind, of these models; they need not be tracked any more."""
    wanted = {name.lower() for name in models}
    known = set(entries.values_list("model_label", flat=True).distinct())
    return [label for label in known if label.partition("#")[0].lower() in wanted]


def _concerned(action: str, entries: QuerySet[OutboxEntry], options: dict[str, Any]) -> int:
    if action == "park":
        return entries.filter(parked_at=None).count()
    parked = entries.exclude(parked_at=None)
    return (parked if action == "retry" else parked.filter(parked_at__lt=_long_ago(options))).count()


def _long_ago(options: dict[str, Any]) -> Any:
    return timezone.now() - timedelta(days=options["days"])
