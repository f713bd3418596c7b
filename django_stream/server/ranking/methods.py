"""Ranking methods: a formula with its defaults, its decay functions and a fixed clock."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django_stream.protocol.errors import ApiError
from django_stream.server.feed_groups import FeedGroup
from django_stream.server.ranking.parser import Formula, FormulaError, Function, MissingVariable, parse

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_MATH: Mapping[str, Function] = {
    "log10": math.log10,
    "ln": math.log,
    "sqrt": math.sqrt,
    "abs": abs,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "max": max,
    "min": min,
}
_BASES = ("decay_linear", "decay_exp", "decay_gauss")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a formula scores: an activity's fields, and what the request adds."""

    identity: str
    time: datetime
    fields: Mapping[str, Any]
    reaction_counts: Mapping[str, int]


class RankingMethod:
    """One configured method, bound to the clock of one ranked read."""

    def __init__(self, options: Mapping[str, Any], now: datetime) -> None:
        self._now = now
        self._defaults: Mapping[str, Any] = options.get("defaults") or {}
        self._random = random.Random()  # noqa: S311 (shuffles feeds, guards nothing)
        functions: dict[str, Function] = {**_MATH, "rand_normal": self._normal}
        functions |= {base: _decay(base, {}) for base in _BASES}
        for name, parameters in (options.get("functions") or {}).items():
            functions[name] = _decay(parameters["base"], parameters)
        self._formula: Formula = parse(str(options["score"]), functions)

    def score(self, subject: Subject, external: Mapping[str, Any]) -> tuple[float, dict[str, float]]:
        """The score, and the variables that made it; FormulaError for an activity that has none.

        What an activity says must not decide whether others are shown: a field that the formula cannot
        work with is replaced by its default. ApiError (code 11) when the request lacks an `external` value.
        """
        try:
            return self._score(subject, external, subject.fields)
        except MissingVariable:
            raise
        except FormulaError:
            if not self._defaults:
                raise
            return self._score(subject, external, {})

    def _score(
        self, subject: Subject, external: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> tuple[float, dict[str, float]]:
        used: dict[str, float] = {}

        def lookup(name: str) -> float:
            if name not in used:
                used[name] = self._value(name, subject, external, fields)
            return used[name]

        # The same draw for the same activity as long as the clock stands.
        self._random.seed(f"{subject.identity}{self._now.isoformat()}")
        try:
            score = float(self._formula.evaluate(lookup))
        except FormulaError:
            raise
        except (ArithmeticError, ValueError, TypeError) as error:
            raise FormulaError(str(error)) from error
        if not math.isfinite(score):
            raise FormulaError("the result is not finite")
        return score, used

    def _value(
        self, name: str, subject: Subject, external: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> float:
        if name == "time":
            # Decay functions see how old an activity is; one dated ahead is as new as can be.
            return max((self._now - subject.time).total_seconds(), 0.0)
        family, _, rest = name.partition(".")
        if family == "reaction_counts":
            return float(subject.reaction_counts.get(rest, 0))
        asked = _dig(external, rest) if family == "external" else _dig(fields, name)
        for found in (asked, _dig(self._defaults, name)):
            if (number := _number(found)) is not None:
                return number
        if family == "external":
            raise failed(f"the ranking formula needs a number for {name}: give it in ranking_vars")
        if asked is None:
            raise MissingVariable(f"{name} has no default, and the activity does not have it")
        raise FormulaError(f"{name} is not a number and has no default")

    def _normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        return self._random.normalvariate(mean, deviation)


def method_of(group: FeedGroup, name: str, now: datetime) -> RankingMethod:
    """A method of a group by name, or the refusal with its code."""
    options = group.ranking.get(name)
    if options is None:
        raise ApiError.named(
            "MissingRankingException", f"feed group '{group.slug}' has no ranking method '{name}'"
        )
    try:
        return RankingMethod(options, now)
    except (ValueError, KeyError, TypeError) as error:
        raise failed(f"ranking method '{name}' is broken: {error}") from error


def failed(detail: str) -> ApiError:
    return ApiError.named("RankingException", detail)


def _number(value: Any) -> float | None:
    """A finite number as a float; None for everything else that a field may hold."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond what floats hold
        return None
    return number if math.isfinite(number) else None


def _dig(fields: Any, path: str) -> Any:
    for segment in path.split("."):
        fields = fields.get(segment) if isinstance(fields, Mapping) else None
    return fields


def _decay(base: str, parameters: Mapping[str, Any]) -> Callable[[float], float]:
    """1 for what is new, `decay` at the age of `scale`, ever less beyond."""
    scale = _seconds(parameters.get("scale", "5d"))
    offset = _seconds(parameters.get("offset", 0))
    at_scale = float(parameters.get("decay", 0.5))
    if base not in _BASES:
        raise ValueError(f"a function's base must be one of {', '.join(_BASES)}")
    if not 0 < at_scale < 1 or scale <= 0:
        raise ValueError("decay must be between 0 and 1, and scale positive")
    if base == "decay_linear":
        end = scale / (1 - at_scale)
        return lambda age: max(0.0, 1 - max(0.0, age - offset) / end)
    power = 1 if base == "decay_exp" else 2
    return lambda age: float(at_scale ** ((max(0.0, age - offset) / scale) ** power))


def _seconds(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is no duration such as '5d' or '12h'")
    return float(match[1]) * _UNITS[match[2]]
