"""Reactions with everything below them, loaded level by level for a whole answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django_stream.database.conditions import one_of
from django_stream.database.statements import Database
from django_stream.protocol import limits, wire
from django_stream.server.models import ChildCount, Reaction
from django_stream.server.reads import latest_reactions
from django_stream.server.reads.answer_size import AnswerSize, weight
from django_stream.server.reads.enrichment.options import EnrichmentOptions
from django_stream.server.reads.enrichment.users import AnswerUsers
from django_stream.server.reads.large_values import LargeValues
from django_stream.server.reads.reaction_rows import ReactionRow

OWN_CHILDREN = 5

Children = dict[int, list[ReactionRow]]


class ReactionTrees:
    """Reactions of one answer; each has the same form wherever it stands."""

    def __init__(self, options: EnrichmentOptions, size: AnswerSize, *, whole: bool) -> None:
        """`whole` refuses to leave out any of what is too much to be loaded together."""
        self._options = options
        self._size = size
        self._whole = whole
        self._large = LargeValues[int](_data_of)
        self._counts: dict[int, dict[str, int]] = {}
        self._children: Children = {}
        self._own: Children = {}
        self.users = AnswerUsers(application_id=0, profiles={}, without_profile={}, size=size)

    def load(self, application_id: int, roots: Iterable[ReactionRow], users: Iterable[str] = ()) -> None:
        """Load descendants of the roots, a few queries a level, and all users: `users` are further ids."""
        known: dict[int, ReactionRow] = {}
        level = {row.pk: row for row in roots}
        while level:
            known |= level
            parents = [row for row in level.values() if row.has_children]
            found = self._below([row.pk for row in parents if row.level < limits.REACTION_LEVELS])
            level = {row.pk: row for row in found if row.pk not in known}
        for row in known.values():
            if row.data is None:
                self._large.expect(row.pk)
        self.users = AnswerUsers.load(application_id, users, known.values(), self._size)

    def _below(self, reactions: list[int]) -> list[ReactionRow]:
        parents = self._count_children(reactions) if reactions else []
        if not parents:
            return []
        found = latest_reactions.of_parents(parents, limits.LATEST_CHILDREN, whole=self._whole)
        _add_by_parent(found, self._children)
        if self._options.own_children:
            kinds, user_id = self._options.own_children_kinds, self._options.user_id
            own = latest_reactions.own_of_parents(
                parents, OWN_CHILDREN, kinds=kinds, user_id=user_id, whole=self._whole
            )
            _add_by_parent(own, self._own)
            found += own
        return found

    def _count_children(self, reactions: list[int]) -> list[int]:
        """Load the counts; which of these reactions have children to show."""
        found = Database.to_read(ChildCount).select(
            ChildCount, ["parent_id", "kind", "count"], one_of("parent_id", reactions)
        )
        counts: dict[int, dict[str, int]] = {}
        for parent, kind, count in found:
            counts.setdefault(parent, {})[kind] = count
        self._counts |= counts
        return [parent for parent, kinds in counts.items() if any(kinds.values())]

    def shape(self, row: ReactionRow) -> wire.Reaction[str]:
        """A reaction as an object of the wire, with its user and children."""
        data = self._large.get(row.pk) if row.data is None else row.data
        self._size.add(weight(data))
        shape = row.shape(self.users.author(row.user_id), data)
        if counts := self._counts.get(row.pk):
            shape["latest_children"] = self._by_kind(self._children.get(row.pk, ()))
            shape["children_counts"] = counts.copy()
        if self._options.own_children:
            shape["own_children"] = self._by_kind(self._own.get(row.pk, ()))
        return shape

    def _by_kind(self, rows: Iterable[ReactionRow]) -> dict[str, list[wire.Reaction[str]]]:
        """`{kind: [reaction, ...]}`, in the order given."""
        kinds: dict[str, list[wire.Reaction[str]]] = {}
        for row in rows:
            if not self._size.is_overfull:
                kinds.setdefault(row.kind, []).append(self.shape(row))
        return kinds


def _data_of(reactions: Sequence[int]) -> dict[int, Any]:
    return dict(Database.to_read(Reaction).select(Reaction, ["id", "data"], one_of("id", reactions)))


def _add_by_parent(rows: Iterable[ReactionRow], children: Children) -> None:
    for row in rows:
        assert row.parent_id is not None
        children.setdefault(row.parent_id, []).append(row)
