"""Walking over a table in short steps, from any place of it: what a killed run goes on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from django_stream.activities.ids import pk_text
from django_stream.activities.model_references import clean_pk

Position = list[Any]
"""A place in a walk, in plain JSON."""


@dataclass(frozen=True, slots=True)
class Step:
    """Primary keys that stand together, and the place behind them."""

    pks: list[Any]
    end: Position


@dataclass(frozen=True, slots=True)
class Walk:
    """The rows of a queryset by primary key, or by an indexed column first; rows without it come last."""

    rows: models.QuerySet[Any]
    column: str | None = None

    def steps(self, size: int, after: Position | None = None) -> Iterator[Step]:
        """Steps of at most `size` rows, behind a place or from the beginning."""
        value, pk = self._read(after)
        if self.column is None:
            yield from self._by_pk(self.rows, size, pk)
            return
        if after is None or value is not None:
            yield from self._by_column(size, value, pk)
            pk = None
        yield from self._by_pk(self.rows.filter(**{self.column: None}), size, pk)

    def _by_pk(self, rows: models.QuerySet[Any], size: int, pk: Any) -> Iterator[Step]:
        while pks := list(_behind(rows, pk).values_list("pk", flat=True)[:size]):
            pk = pks[-1]
            yield Step(pks, [None, pk_text(pk)])

    def _by_column(self, size: int, value: Any, pk: Any) -> Iterator[Step]:
        while found := self._rest_of(size, value, pk):
            value, pk = found[-1]
            yield Step([one for _, one in found], [str(value), pk_text(pk)])

    def _rest_of(self, size: int, value: Any, pk: Any) -> list[tuple[Any, Any]]:
        """Two short queries, each a range of the index; one with an OR would be a scan."""
        column = str(self.column)
        found: list[tuple[Any, Any]] = []
        if value is not None:
            same = _behind(self.rows.filter(**{column: value}), pk)
            found = list(same.values_list(column, "pk")[:size])
        if len(found) < size:
            later = {f"{column}__isnull": False} if value is None else {f"{column}__gt": value}
            rows = self.rows.filter(**later).order_by(column, "pk")
            found += rows.values_list(column, "pk")[: size - len(found)]
        return found

    def _read(self, after: Position | None) -> tuple[Any, Any]:
        if after is None:
            return None, None
        value, pk = after
        model = self.rows.model
        if value is not None:
            field: Any = model._meta.get_field(str(self.column))
            value = getattr(field, "target_field", field).to_python(value)
        return value, clean_pk(model, pk)


def _behind(rows: models.QuerySet[Any], pk: Any) -> models.QuerySet[Any]:
    return (rows if pk is None else rows.filter(pk__gt=pk)).order_by("pk")
