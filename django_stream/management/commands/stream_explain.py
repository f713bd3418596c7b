"""`manage.py stream_explain app.Model:pk --feed timeline:1`: why a row is in a feed, or is not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_stream.activities.model_references import Reference, clean_pk, parse_reference
from django_stream.management.commands._family import FamilyCommand, WrongUse
from django_stream.operations.explain import explain_feed, explain_row, is_feed_id


class Command(FamilyCommand):
    help = (
        "Why a row is in a feed, or is not: from the row over the outbox to the feed. "
        "Without a row: what the feed holds, and why."
    )
    example = "blog.Post:1 --feed timeline:1"
    changes_something = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("row", nargs="?", metavar="app.Model:pk", help="a row, such as blog.Post:1")
        super().add_arguments(parser)
        parser.add_argument(
            "--feed", required=True, metavar="SLUG:ID", help="the feed that is meant, such as timeline:1"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        feed_id = options["feed"]
        if not is_feed_id(feed_id):
            raise WrongUse(f"--feed {feed_id}: say SLUG:ID, such as timeline:1")
        if options["row"]:
            self._explain_row(options["row"], feed_id, options["database"])
        else:
            self._explain_feed(feed_id)

    def _explain_row(self, row: str, feed_id: str, using: str) -> None:
        reference = parse_reference(row)
        pk = clean_pk(reference.model, reference.object_id) if isinstance(reference, Reference) else None
        if reference is None or pk is None:
            raise WrongUse(f"{row!r} names no row: say app.Model:pk, such as blog.Post:1")
        stopped = ""
        for reason in explain_row(reference.model, pk, feed_id, using):
            self.tell(
                f"{reason.about:<9} {reason.text}", about=reason.about, text=reason.text, stops=reason.stops
            )
            stopped = reason.text if reason.stops else stopped
        answer = f"{row} is not in {feed_id}" if stopped else f"{row} is in {feed_id}"
        self.conclude(answer, is_there=not stopped)

    def _explain_feed(self, feed_id: str) -> None:
        count = 0
        for activity, reason, _ in explain_feed(feed_id):
            self.tell(f"{activity}\n     {reason}", activity=activity, reason=reason)
            count += 1
        self.conclude(f"{count} activities shown", shown=count)
