"""What depends on changes, told by the site's own code: one that fails is the failure of its change alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import nullcontext
from typing import TypeVar

from django.db import connections, transaction

from django_stream.publishing.publisher import Change, Dependents, Publisher

Told = TypeVar("Told")


class Dependence:
    """Asks a publisher what depends on changes, inside a transaction that its failure is to undo."""

    error: Exception | None = None
    """What the publisher raised last, which is no failure of the database's own."""

    def __init__(self, publisher: Publisher | None, using: str) -> None:
        self._publisher = publisher
        self._using = using

    def of(self, changes: Collection[Change]) -> Iterator[Dependents]:
        """The dependents one after the other, their keys too: there may be very many."""
        if self._publisher is None or not changes:
            return
        try:
            told = self._publisher.dependents(changes, self._using)
        except Exception as error:
            self.error = error
            raise
        for one in self._watched(told):
            yield Dependents(one.label, self._watched(one.keys), one.force)

    def _watched(self, values: Iterable[Told]) -> Iterator[Told]:
        try:
            yield from values
        except Exception as error:
            self.error = error
            raise

    def failures(self, changes: Collection[Change], error: Exception) -> dict[str, Exception]:
        """Which of the changes it is that fails, each asked alone; all of them where none does so."""
        found = {change.key: own for change in changes if (own := self._failure_of(change)) is not None}
        return found or {change.key: error for change in changes}

    def _failure_of(self, change: Change) -> Exception | None:
        is_inside = connections[self._using].in_atomic_block
        try:
            # A failed statement spoils nothing but itself.
            with transaction.atomic(self._using) if is_inside else nullcontext():
                for one in self.of([change]):
                    for _ in one.keys:
                        pass
        except Exception as error:
            return error
        return None
