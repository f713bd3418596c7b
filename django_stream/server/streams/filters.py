"""Filters: clauses under a policy, checked so that none is stored that can never match."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_stream.server.streams import clauses
from django_stream.server.streams.clauses import Clause, invalid

POLICIES = ("include_any", "include_all", "exclude_any", "exclude_all")
CLAUSES_MAX = 20
NAME_MAX = 255
BYTES_MAX = 256 * 1024


@dataclass(frozen=True, slots=True)
class Filter:
    """A checked filter. Clauses of other types than the event's own do not count."""

    policy: str
    clauses: tuple[Clause, ...]

    @property
    def includes(self) -> bool:
        return self.policy.startswith("include")

    @property
    def needs_all(self) -> bool:
        return self.policy.endswith("all")

    def about(self, kind: str) -> list[Clause]:
        """The clauses that count for events of a kind."""
        return [clause for clause in dict.fromkeys(self.clauses) if clause.kind == kind]


def fields_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a filter as a client sent them: checked, and as they are stored."""
    name = given.get("name") or ""
    if not isinstance(name, str) or len(name) > NAME_MAX:
        raise invalid("name", f"must be a text of at most {NAME_MAX} characters")
    parse(given.get("match_policy"), given.get("clauses"))
    if len(json.dumps(given["clauses"])) > BYTES_MAX:
        raise invalid("clauses", f"may have at most {BYTES_MAX} bytes")
    return {"name": name, "match_policy": given["match_policy"], "clauses": given["clauses"]}


def parse(policy: Any, given: Any) -> Filter:
    """Check a policy and its clauses; the refusal names what is wrong, and where."""
    if policy not in POLICIES:
        raise invalid("match_policy", f"must be one of {', '.join(POLICIES)}")
    if not isinstance(given, list) or not 0 < len(given) <= CLAUSES_MAX:
        raise invalid("clauses", f"must be a list of 1 to {CLAUSES_MAX} clauses")
    parsed = [clauses.parse(one, f"clauses[{number}]") for number, one in enumerate(given)]
    if policy.endswith("all"):
        _check_compatible(parsed)
    return Filter(policy, tuple(parsed))


def _check_compatible(parsed: Sequence[Clause]) -> None:
    """Refuse clauses that cannot hold together, where the field has one value."""
    ways: dict[tuple[str, Any], _Possible] = {}
    for number, clause in enumerate(parsed):
        if None not in clause.path:
            possible = ways.setdefault((clause.kind, clause.path), _Possible())
            if not possible.narrow(clause):
                raise invalid(f"clauses[{number}]", "contradicts the clauses before it: no event can match")


class _Possible:
    """The values that a field may have so that all clauses until now hold."""

    def __init__(self) -> None:
        self._values: set[tuple[type, Any]] | None = None
        self._low: float = float("-inf")
        self._high: float = float("inf")
        self._is_text = self._is_number = False

    def narrow(self, clause: Clause) -> bool:
        """Take a clause in; whether anything is left."""
        operator, value = clause.operator, clause.value
        if operator == "equals":
            self._among([value])
        elif operator == "one_of" and isinstance(value, tuple):
            # A list may hold several of them at once.
            self._among(value) if self._values is None else None
            return True
        elif operator == "matches":
            self._is_text = True
        elif operator in clauses.COMPARISONS:
            self._is_number = True
            self._bound(operator, value)
        return self._is_left()

    def _among(self, values: Sequence[Any]) -> None:
        wanted = {(type(value), value) for value in values}
        self._values = wanted if self._values is None else self._values & wanted

    def _bound(self, operator: str, value: int) -> None:
        # Fields may hold fractions: only the closed ends can be compared.
        if operator in ("lt", "le"):
            self._high = min(self._high, value)
        else:
            self._low = max(self._low, value)

    def _is_left(self) -> bool:
        if (self._is_text and self._is_number) or self._low > self._high:
            return False
        return self._values is None or any(self._allows(kind, value) for kind, value in self._values)

    def _allows(self, kind: type, value: Any) -> bool:
        if kind is int:
            return not self._is_text and self._low <= value <= self._high
        return not self._is_number and not (kind is bool and self._is_text)
