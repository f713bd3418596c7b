# ruff: noqa: S608 (only names of columns are put into the text)
"""Parameters and columns in the forms that are cheapest to send and to read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper


def one_of(connection: BaseDatabaseWrapper, column: str, *, uuids: bool = False) -> str:
    """A condition with one parameter, an `array`: the same text for any number of values.

    A placeholder for each would be parsed and planned for each, and databases count them.
    """
    if connection.vendor == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(%s))"
    return f"{column} = ANY(%s{'::uuid[]' if uuids else ''})"


def array(connection: BaseDatabaseWrapper, values: Iterable[Any]) -> Any:
    """The parameter of `one_of`; UUIDs are given as their 32 digits."""
    return json.dumps(list(values)) if connection.vendor == "sqlite" else list(values)


def one_pair_of(connection: BaseDatabaseWrapper, columns: str) -> str:
    """Likewise for two columns of text together, with `pairs`."""
    if connection.vendor == "sqlite":
        both = "json_extract(value, '$[0]'), json_extract(value, '$[1]')"
        return f"({columns}) IN (SELECT {both} FROM json_each(%s))"
    return f"({columns}) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"


def pairs(connection: BaseDatabaseWrapper, values: Collection[tuple[str, str]]) -> list[Any]:
    """The parameters of `one_pair_of`."""
    if connection.vendor == "sqlite":
        return [json.dumps(list(values))]
    return [[first for first, _ in values], [second for _, second in values]]


def time_of(connection: BaseDatabaseWrapper, column: str) -> str:
    """A time as text with its zone: no driver has to make an object of what goes out as text again."""
    if connection.vendor == "sqlite":
        # Stored without a zone, in UTC where USE_TZ is True.
        return f"{column} || '+00'" if settings.USE_TZ else column
    return f"CAST({column} AS text)"
