"""How far a run has come, in the database of its rows: what is left of it after kill -9."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django_stream.operations.walking import Position
from django_stream.publishing.models import Checkpoint
from django_stream.publishing.report import DrainReport


@dataclass(slots=True)
class Progress:
    """One run over one table, and its checkpoint."""

    row: Checkpoint
    using: str
    token: uuid.UUID
    """Of the leases of this run."""

    @property
    def earlier(self) -> list[str]:
        """Tokens of the runs before it that were killed."""
        return [one for one in self.row.tokens if one != str(self.token)]

    @property
    def totals(self) -> DrainReport:
        return DrainReport(**self.row.totals)

    def advance(self, position: Position, report: DrainReport, *, is_done: bool = False) -> None:
        """Everything up to this place is settled."""
        self.row.position = position
        self.row.totals = asdict(self.totals + report)
        self.row.done = is_done
        self.row.save(using=self.using)


def begin(name: str, using: str, options: dict[str, Any], *, resume: bool) -> Progress:
    """A run from the beginning, or with `resume` from where an equal one was killed."""
    token = uuid.uuid4()
    rows = Checkpoint.objects.using(using)
    row = rows.filter(name=name).first() if resume else None
    if row is None or row.options != options:
        rows.filter(name=name).delete()
        row = Checkpoint(name=name, options=options, position=None, totals=asdict(DrainReport()))
    row.tokens = [*row.tokens, str(token)]
    row.save(using=using)
    return Progress(row, using, token)


def forget(names: Iterable[str], using: str) -> None:
    """Nothing is left to resume."""
    Checkpoint.objects.using(using).filter(name__in=list(names)).delete()
