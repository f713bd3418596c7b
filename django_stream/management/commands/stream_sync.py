"""`manage.py stream_sync [app.Model …]`: make the follows between feeds equal to the follow tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser

from django_stream.activities.kinds import FOLLOWS, kind_of, publishers_for
from django_stream.management.commands._family import leave_out_option
from django_stream.management.commands._publishing import PublishingCommand
from django_stream.operations.backfill import Options
from django_stream.operations.comparison import Difference
from django_stream.operations.repair import repair
from django_stream.operations.verify import verify
from django_stream.publishing.publisher import Publisher
from django_stream.publishing.report import DrainReport


class Command(PublishingCommand):
    help = (
        "Make the follows of feeds equal to the follow tables. Running it twice does no harm; "
        "killed, it goes on with --resume."
    )
    name = "stream_sync"
    example = "--prune --dry-run"
    _prunes = False
    _left_out: Sequence[str] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--prune",
            action="store_true",
            help="end follows that no row means, whoever began them",
        )
        leave_out_option(parser)
        parser.add_argument(
            "--all", action="store_true", help="collections, users and reactions too; not activities"
        )

    def _publish(self, chosen_: list[Publisher], how: Options) -> DrainReport:
        total = super()._publish(chosen_, how)
        if not self._prunes or total.out_of_reach:
            return total
        every = [one for one in publishers_for("stream_sync") if kind_of(one) is FOLLOWS]
        differences = verify(every, how.using, left_out=self._left_out)
        extra = (one for one in differences if one.kind == "extra")
        if how.dry_run:
            return total + DrainReport(published=sum(1 for _ in map(self._tell_of_extra, extra)))
        return total + repair(extra, how.using, tell=self._tell_of_extra)

    def _tell_of_extra(self, one: Difference) -> None:
        self.tell(f"extra: {one.place} follows {one.thing}", place=one.place, thing=one.thing)

    def publishers(self, **options: Any) -> list[Publisher]:
        self._prunes, self._left_out = options["prune"], options["leave_out"]
        others = [one for one in publishers_for("stream_backfill") if one.kind] if options["all"] else []
        return [*others, *super().publishers(**options)]
