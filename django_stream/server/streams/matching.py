"""Many filters against one event: clauses are indexed, so that their number hardly matters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django_stream.server.streams.clauses import AUTHORIZED_USERS, Clause
from django_stream.server.streams.filters import Filter
from django_stream.server.streams.pointers import Path, values_at

_COMPARABLE = (int, float)
_PIECE = 4
_FEW = 20


def _key(value: Any) -> Any:
    """What equal values share. In Python, True equals 1."""
    return (value,) if isinstance(value, bool) else value


class _Parts:
    """Texts to look for inside another one. Of many, those are tried whose rarest piece is in it."""

    def __init__(self) -> None:
        self._all: list[tuple[str, int]] = []
        self._short: list[tuple[str, int]] = []
        self._by_piece: dict[str, list[tuple[str, int]]] = {}

    def add(self, part: str, number: int) -> None:
        self._all.append((part, number))
        self._by_piece.clear()

    def found_in(self, text: str) -> list[int]:
        if len(self._all) <= _FEW:
            return [number for part, number in self._all if part in text]
        if not self._by_piece:
            self._index()
        found = [number for part, number in self._short if part in text]
        for piece in _pieces(text):
            if piece in self._by_piece:
                found += [number for part, number in self._by_piece[piece] if part in text]
        return found

    def _index(self) -> None:
        uses = Counter(piece for part, _ in self._all for piece in _pieces(part))
        self._short = [one for one in self._all if len(one[0]) < _PIECE]
        for part, number in self._all:
            if len(part) >= _PIECE:
                rarest = min(_pieces(part), key=uses.__getitem__)
                self._by_piece.setdefault(rarest, []).append((part, number))


def _pieces(text: str) -> set[str]:
    return {text[start : start + _PIECE] for start in range(len(text) - _PIECE + 1)}


class _Field:
    """All clauses about one field, by what makes them hold."""

    def __init__(self) -> None:
        self._equal: dict[Any, list[int]] = defaultdict(list)
        self._shared: dict[Any, list[int]] = defaultdict(list)
        self._parts = _Parts()
        self._users: list[int] = []
        self._bounds: dict[str, tuple[list[int], list[int]]] = {}

    def add(self, number: int, clause: Clause) -> None:
        value = clause.value
        if clause.operator == "equals":
            self._equal[_key(value)].append(number)
        elif clause.operator == "matches":
            self._parts.add(value, number)
        elif value == AUTHORIZED_USERS:
            self._users.append(number)
        elif clause.operator == "one_of":
            for item in dict.fromkeys(map(_key, value)):
                self._shared[item].append(number)
        else:
            bounds, held = self._bounds.setdefault(clause.operator, ([], []))
            place = bisect_left(bounds, value)
            bounds.insert(place, value)
            held.insert(place, number)

    def holding(self, values: Iterable[Any], into: set[int]) -> None:
        """Add the clauses that hold for one of the values."""
        for value in values:
            if isinstance(value, list):
                for item in value:
                    self._single(item, into)
                continue
            if isinstance(value, str | int):
                into.update(self._equal.get(_key(value), ()))
            self._single(value, into)
            if isinstance(value, str):
                into.update(self._parts.found_in(value))
            elif isinstance(value, _COMPARABLE) and not isinstance(value, bool):
                self._compared(value, into)

    def _single(self, value: Any, into: set[int]) -> None:
        """`one_of`, which of a list takes each element."""
        if isinstance(value, str | int):
            into.update(self._shared.get(_key(value), ()))
            if self._users and isinstance(value, str) and value:
                into.update(self._users)

    def _compared(self, value: float, into: set[int]) -> None:
        for operator, (numbers, held) in self._bounds.items():
            if operator == "lt":
                into.update(held[bisect_right(numbers, value) :])
            elif operator == "le":
                into.update(held[bisect_left(numbers, value) :])
            elif operator == "gt":
                into.update(held[: bisect_left(numbers, value)])
            else:
                into.update(held[: bisect_right(numbers, value)])


class FilterIndex:
    """The filters that count for events of one kind. Equal clauses have one number and are tried once."""

    def __init__(self, kind: str, filters: Mapping[int, Filter]) -> None:
        self._fields: dict[Path, _Field] = {}
        self._excluding = {name for name, one in filters.items() if not one.includes}
        self._any: dict[int, list[int]] = defaultdict(list)
        self._all: dict[int, list[tuple[int, frozenset[int]]]] = defaultdict(list)
        relevant = {name: one.about(kind) for name, one in filters.items()}
        uses = Counter(clause for listed in relevant.values() for clause in listed)
        numbers = {clause: number for number, clause in enumerate(uses)}
        for clause, number in numbers.items():
            self._fields.setdefault(clause.path, _Field()).add(number, clause)
        for name, clauses in relevant.items():
            if clauses and filters[name].needs_all:
                # Looked at only when its rarest clause holds.
                rarest = min(clauses, key=uses.__getitem__)
                self._all[numbers[rarest]].append((name, frozenset(map(numbers.__getitem__, clauses))))
            for clause in () if filters[name].needs_all else clauses:
                self._any[numbers[clause]].append(name)

    @property
    def is_empty(self) -> bool:
        """Whether no field has to be looked at."""
        return not self._fields

    def passed(self, event: Any) -> set[int]:
        """The names of the filters that let an event pass; `event` is the whole envelope."""
        holding: set[int] = set()
        for path, field in self._fields.items():
            if values := values_at(event, path):
                field.holding(values, holding)
        matched: set[int] = set()
        for number in holding:
            matched.update(self._any.get(number, ()))
            for name, clauses in self._all.get(number, ()):
                if clauses <= holding:
                    matched.add(name)
        return (matched - self._excluding) | (self._excluding - matched)
