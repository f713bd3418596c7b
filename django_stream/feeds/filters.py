"""Pages of some verbs and some actors alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models

from django_stream.activities.model_references import reference_of
from django_stream.protocol.wire import members

_NAMES = ("verb", "actor")

IsWanted = Callable[[Mapping[str, Any]], bool]


def with_filters(options: Mapping[str, Any]) -> tuple[dict[str, Any], IsWanted | None]:
    """Options with `verb` and `actor` as lists of texts, and whether an entry passes; None for no filter.

    Instances become their references. The home filters, unless it does not know how: then the page does.
    """
    wanted = {name: _texts(options[name]) for name in _NAMES if options.get(name) is not None}
    if not wanted:
        return dict(options), None
    return {**options, **wanted}, lambda entry: any(_passes(one, wanted) for one in members(entry))


def _texts(value: Any) -> list[str]:
    several = value if isinstance(value, list | tuple | set | frozenset | models.QuerySet) else [value]
    return [reference_of(one) if isinstance(one, models.Model) else str(one) for one in several]


def _passes(activity: Mapping[str, Any], wanted: Mapping[str, list[str]]) -> bool:
    # Where the home has put an object in place of the reference, it is one of ours, which filters.
    values = {name: activity.get(name) for name in wanted}
    return all(not isinstance(value, str) or value in wanted[name] for name, value in values.items())
