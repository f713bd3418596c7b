# ruff: noqa: S608 (only table names of our own models are put into the text)
"""Which feeds and activities a change reaches, as SQL text with its parameters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from django_stream.server import sql
from django_stream.server.sql import EXCLUDED, FEED, FOLLOW, TIMELINE
from django_stream.server.timelines.base import Window


@dataclass(frozen=True, slots=True)
class Listed:
    """Some values: `IN (<text>)`."""

    text: str
    params: Sequence[Any]

    @classmethod
    def of(cls, values: Collection[Any]) -> Listed:
        """Just these."""
        return cls(",".join(["%s"] * len(values)), [*values])


@dataclass(frozen=True, slots=True)
class Selection:
    """A set of feeds of one application: `feed IN (<text>)`. `anchor` is one feed of that application."""

    text: str
    params: Sequence[Any]
    anchor: int

    @classmethod
    def of(cls, feeds: Collection[int]) -> Selection:
        """Just these."""
        text = f"SELECT id FROM {FEED} WHERE id IN {sql.marks(feeds)}"
        return cls(text, [*feeds], next(iter(feeds)))

    @classmethod
    def reached_from(cls, feeds: Collection[int]) -> Selection:
        """These and all that follow or followed them."""
        text = (
            f"SELECT id FROM {FEED} WHERE id IN {sql.marks(feeds)} "
            f"UNION SELECT source_id FROM {FOLLOW} WHERE target_id IN {sql.marks(feeds)}"
        )
        return cls(text, [*feeds, *feeds], next(iter(feeds)))

    @classmethod
    def by_follows(cls, target: int, after: int, up_to: int) -> Selection:
        """The followers of a feed by the follows in this range of ids."""
        text = f"SELECT source_id FROM {FOLLOW} WHERE target_id = %s AND id > %s AND id <= %s"
        return cls(text, [target, after, up_to], target)

    @classmethod
    def of_follows(cls, follows: Sequence[int], target: int) -> Selection:
        """The followers by these follows, one of which has this target."""
        return cls(f"SELECT source_id FROM {FOLLOW} WHERE id IN {sql.marks(follows)}", [*follows], target)

    def of_slug(self, slug: str) -> Selection:
        """Those of one feed group."""
        text = f"SELECT id FROM {FEED} WHERE slug = %s AND id IN ({self.text})"
        return Selection(text, [slug, *self.params], self.anchor)


@dataclass(frozen=True, slots=True)
class Shown:
    """The activities among some that are visible on some feeds, by one of these ways or by any."""

    feeds: Selection
    keys: Listed
    ways: Listed | None = None

    def of_slug(self, slug: str) -> Shown:
        """Those on the feeds of one feed group."""
        return replace(self, feeds=self.feeds.of_slug(slug))

    @property
    def text(self) -> str:
        """A statement that gives feed and key."""
        ways = "" if self.ways is None else f" AND (via = {EXCLUDED} OR via IN ({self.ways.text}))"
        return (
            f"SELECT feed, key FROM {TIMELINE} WHERE feed IN ({self.feeds.text}) "
            f"AND key IN ({self.keys.text}){ways} GROUP BY feed, key HAVING min(via) > {EXCLUDED}"
        )

    @property
    def params(self) -> list[Any]:
        return [*self.feeds.params, *self.keys.params, *(self.ways.params if self.ways else ())]


def window_conditions(connection: BaseDatabaseWrapper, column: str, window: Window) -> tuple[str, list[Any]]:
    """The conditions of a window, each after an AND."""
    text, params = "", []
    for operator, key in (
        ("<", window.below),
        ("<=", window.up_to),
        (">", window.above),
        (">=", window.from_on),
    ):
        if key is not None:
            text += f" AND {column} {operator} %s"
            params.append(sql.key_param(connection, key))
    return text, params
