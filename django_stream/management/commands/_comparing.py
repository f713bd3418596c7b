"""What verify and repair share: which models, the differences, and how one is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from django_stream.management.commands._family import FamilyCommand, leave_out_option
from django_stream.management.commands._publishing import chosen
from django_stream.operations.comparison import Difference
from django_stream.operations.sources import with_those_of_the_same_things
from django_stream.operations.verify import server_faults, verify
from django_stream.publishing.publisher import Publisher, publishers


class ComparingCommand(FamilyCommand):
    """Compares tables with feeds."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "models", nargs="*", metavar="app.Model", help="all tracked models when none is named"
        )
        super().add_arguments(parser)
        leave_out_option(parser)

    def differences(self, **options: Any) -> Iterator[Difference]:
        """All of them, one after the other; without models also those inside of an embedded server."""
        yield from self.verified(self.compared(**options), **options)
        if self.looks_into_the_server(**options):
            yield from server_faults()

    def compared(self, **options: Any) -> list[Publisher]:
        """What is looked at."""
        return with_those_of_the_same_things(chosen(publishers(), options["models"]))

    def verified(self, some: list[Publisher], **options: Any) -> Iterator[Difference]:
        """The differences of these."""
        return verify(
            some,
            options["database"],
            sample=options.get("sample"),
            left_out=options["leave_out"],
            tell=self._tell_of_kind,
        )

    def looks_into_the_server(self, **options: Any) -> bool:
        return not options["models"] and not options.get("sample")

    def tell_of(self, one: Difference) -> None:
        """One line for each difference."""
        whose = f"  ({one.label} {one.key})" if one.key else ""
        self.tell(
            f"{one}{whose}",
            kind=one.kind,
            place=one.place,
            thing=one.thing,
            model=one.label,
            key=one.key,
        )

    def end(self, found: Counter[str], remedy: str) -> None:
        """The summary of what was only looked at."""
        remaining = f"{found.total()} differences: {remedy}" if found else ""
        self.conclude("" if found else "no differences", remaining=remaining, differences=dict(found))

    def _tell_of_kind(self, kind: str, count: int, not_listed: str) -> None:
        limits = {"not_listed": not_listed} if not_listed else {}
        text = f"{kind}: {count} compared" + (f"; {not_listed}" if not_listed else "")
        self.tell(text, kind=kind, compared=count, **limits)
