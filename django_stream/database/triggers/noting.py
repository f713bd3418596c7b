"""What a trigger notes: which rows, by which key, and what is written of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Event = Literal["insert", "update", "delete", "truncate"]
EVENTS: Final[tuple[Event, ...]] = ("insert", "update", "delete", "truncate")


class KeyColumn(NamedTuple):
    """A column of a key, and how it is stored: "hex" is a UUID of 32 digits."""

    name: str
    form: Literal["number", "text", "uuid", "hex"]


class Step(NamedTuple):
    """A table on the way, the key by which it is reached, and the column that leads on."""

    table: str
    key: str
    column: str


class Referring(NamedTuple):
    """A table whose rows refer to those of another by a column, and its key."""

    table: str
    column: str
    key: tuple[KeyColumn, ...]
    steps: tuple[Step, ...] = ()
    """Where the column leads to them over the rows of other tables."""


@dataclass(frozen=True, slots=True)
class NotedTable:
    """A table whose changed rows are noted by their key."""

    table: str
    key: tuple[KeyColumn, ...]
    as_list: bool = False
    """Whether the key is a JSON list of its columns' texts."""
    watched: tuple[str, ...] | None = None
    """Columns whose change matters, beside those of the key; None: every update does."""
    inside: tuple[str, str] | None = None
    """Only rows whose key stands in this table, in this column."""
    referring: Referring | None = None
    """Noted are the rows there that refer to the changed ones, and not these."""
    events: tuple[Event, ...] = EVENTS


@dataclass(frozen=True, slots=True)
class Note:
    """The row that is written for each key."""

    table: str
    key: str
    """The column of the key."""
    longest: int
    """Characters that it holds; longer keys are not noted, so that no write of others fails."""
    several: str
    """The column that is true when one statement changed several rows, where the database can tell."""
    channel: str
    """Who listens on it is told of each transaction that noted something, where the database can."""
    constants: Mapping[str, str | int | bool] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)
    """Columns that get a moment, in seconds from now."""
