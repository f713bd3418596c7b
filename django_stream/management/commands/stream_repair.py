"""`manage.py stream_repair [app.Model …]`: mend what stream_verify finds, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django_stream.management.commands._comparing import ComparingCommand
from django_stream.operations.comparison import Difference
from django_stream.operations.repair import repair
from django_stream.publishing.drain import drain
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.report import DrainReport


class Command(ComparingCommand):
    help = "Mend what stream_verify finds, and nothing else. Running it twice does no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        mended: Counter[str] = Counter()

        def tell(one: Difference) -> None:
            self.tell_of(one)
            mended[one.kind] += 1

        found = self.differences(mend=not options["dry_run"], **options)
        if options["dry_run"]:
            for one in found:
                tell(one)
            self.end(mended, "run it without --dry-run")
            return
        with nudges_held():
            total = repair(found, options["database"], tell=tell) + drain(options["database"])
        self._conclude(mended, total)

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
