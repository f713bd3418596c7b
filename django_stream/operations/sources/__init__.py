"""Both sides of the comparison: what the tables want, and what the feeds hold, kind by kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django_stream.activities.kinds import (
    ACTIVITIES,
    COLLECTIONS,
    FOLLOWS,
    REACTIONS,
    USERS,
    TrackedKind,
    kind_of,
)
from django_stream.activities.publishers.mirrors import CollectionPublisher
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.operations.sources.activities import ActivitySource
from django_stream.operations.sources.base import Look, Source
from django_stream.operations.sources.by_id import CollectionSource, UserSource
from django_stream.operations.sources.follows import FollowSource
from django_stream.operations.sources.reactions import ReactionSource
from django_stream.publishing.publisher import Publisher, publishers

_SOURCES: dict[str, type[Source]] = {
    USERS.inner: UserSource,
    COLLECTIONS.inner: CollectionSource,
    ACTIVITIES.inner: ActivitySource,
    REACTIONS.inner: ReactionSource,
    FOLLOWS.inner: FollowSource,
}


def with_those_of_the_same_things(chosen: Collection[Publisher]) -> list[Publisher]:
    """These, and all that fill the same follows, kinds of reactions and collections.

    What tells no key is nobody's only if none of them wants it.
    """
    things = {thing for one in chosen if (thing := _shared(one)) is not None}
    others = (one for one in publishers() if one not in chosen and _shared(one) in things)
    return [*chosen, *others]


def _shared(publisher: Publisher) -> tuple[str, str] | None:
    kind = kind_of(publisher)
    if isinstance(publisher, ReactionPublisher):
        return kind.inner, publisher.reaction_kind
    if isinstance(publisher, CollectionPublisher):
        return kind.inner, publisher.declaration.name
    return (kind.inner, "") if kind is FOLLOWS else None


def sources_of(publishers: Iterable[Publisher], look: Look) -> Iterator[tuple[TrackedKind, Source]]:
    """A source for each kind of which there are models, in the order in which tables are published."""
    by_kind: dict[str, list[Publisher]] = {}
    for one in publishers:
        by_kind.setdefault(kind_of(one).inner, []).append(one)
    for inner, make in _SOURCES.items():
        if mine := by_kind.get(inner):
            yield kind_of(mine[0]), make(mine, look)
