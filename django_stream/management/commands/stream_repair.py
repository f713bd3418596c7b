"""`manage.py stream_repair [app.Model …]`: mend what stream_verify finds, and nothing else."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any

from django.core.management.base import CommandParser

from django_stream.activities.kinds import KINDS, kind_of
from django_stream.management.commands._comparing import ComparingCommand
from django_stream.operations.checkpoints import forget
from django_stream.operations.comparison import Difference
from django_stream.operations.repair import begin, checkpoint_of, repair
from django_stream.operations.verify import server_faults
from django_stream.publishing.drain import drain
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.publisher import Publisher
from django_stream.publishing.report import DrainReport


class Command(ComparingCommand):
    help = (
        "Mend what stream_verify finds, and nothing else: extra things are taken out, all others are "
        "published again. Running it twice does no harm; killed, it goes on with --resume."
    )
    example = "--dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--resume", action="store_true", help="leave out the kinds that a killed run has mended"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            found = Counter[str]()
            for one in self.differences(**options):
                self.tell_of(one)
                found[one.kind] += 1
            self.end(found, "run it without --dry-run")
            return
        mended: Counter[str] = Counter()
        with nudges_held():
            total = self._repair(mended, **options) + drain(options["database"])
        self._conclude(mended, total)

    def _repair(self, mended: Counter[str], **options: Any) -> DrainReport:
        """Kind after kind, each with its checkpoint: what is mended differs no more, and is not looked at."""
        using, total, done = options["database"], DrainReport(), list[str]()
        how = {"models": sorted(options["models"]), "leave_out": sorted(options["leave_out"])}

        def tell(one: Difference) -> None:
            self.tell_of(one)
            mended[one.kind] += 1

        for kind, some in groupby(sorted(self.compared(**options), key=_place), key=_inner):
            run = begin(kind, using, how, resume=options["resume"])
            done.append(checkpoint_of(kind))
            if not run.row.done:
                total += repair(self.verified(list(some), **options), using, tell=tell, token=run.token)
                # What hangs on what was mended is noted by it: while it waits, it would not be compared.
                total += drain(using)
                if total.out_of_reach:
                    return total
                run.advance([], DrainReport(), is_done=True)
        if self.looks_into_the_server(**options):
            for fault in server_faults(mend=True):
                tell(fault)
        forget(done, using)
        return total

    def _conclude(self, mended: Counter[str], total: DrainReport) -> None:
        unreadable = mended.pop("unreadable", 0)
        failed = total.failed + total.parked
        remaining = [
            f"{unreadable} rows cannot be read" if unreadable else "",
            f"{failed} could not be mended: the admin's outbox entries tell why" if failed else "",
            "the API is out of reach" if total.out_of_reach else "",
        ]
        self.conclude(
            f"{mended.total()} differences, {failed} not mended" if mended else "nothing to mend",
            remaining="; ".join(filter(None, remaining)),
            differences=dict(mended),
            unreadable=unreadable,
            failed=failed,
        )


def _place(publisher: Publisher) -> int:
    """What others refer to comes first."""
    return KINDS.index(kind_of(publisher))


def _inner(publisher: Publisher) -> str:
    return kind_of(publisher).inner
