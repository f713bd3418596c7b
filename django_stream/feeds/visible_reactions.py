"""Reactions below the activities of a page: those that the viewer may see, and how many they are."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from django_stream.activities.model_references import USERS, Reference, clean_pk, parse_reference
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.visibility import is_restricted, visibility_of, visible
from django_stream.database.failures import or_else
from django_stream.publishing.publisher import publishers

logger = logging.getLogger("django_stream.feeds")

Entry = Mapping[str, Any]

_NOTICE = "reaction:"
# The first of these lists is the one that counts are about.
_OF_ACTIVITIES = ("latest_reactions", "own_reactions", "first_reactions")
_ASKED_FOR = {"reaction_counts", *_OF_ACTIVITIES}
_OF_REACTIONS = ("latest_children", "own_children")
_COUNTS = {_OF_ACTIVITIES: "reaction_counts", _OF_REACTIONS: "children_counts"}


class VisibleReactions:
    """What one viewer sees of the reactions on a page, by a query for each model that restricts them."""

    def __init__(self, viewer: Any, activities: Sequence[Entry], *, with_muted: bool) -> None:
        self._visible = partial(visible, viewer, with_muted=with_muted)
        self._is_restricted = partial(is_restricted, viewer=viewer, with_muted=with_muted)
        self._activities = activities
        reactions = list(_reactions(activities))
        self.hidden = set(self._of_hidden_users(reactions)) | set(self._of_hidden_rows(reactions))

    def below(self, activity: Entry) -> dict[str, Any]:
        """The values that take the place of an activity's own."""
        return self._seen(activity, _OF_ACTIVITIES)

    def _seen(self, entry: Entry, names: tuple[str, ...]) -> dict[str, Any]:
        seen: dict[str, Any] = {
            name: self._lists(entry[name]) for name in names if _is_lists(entry.get(name))
        }
        counts_name = _COUNTS[names]
        if _is_counts(entry.get(counts_name)):
            numbers = {kind: self._number(entry, seen, names[0], kind) for kind in entry[counts_name]}
            seen[counts_name] = {kind: number for kind, number in numbers.items() if number is not None}
        return seen

    def _lists(self, by_kind: Mapping[str, Sequence[Entry]]) -> dict[str, list[Entry]]:
        return {
            kind: [{**one, **self._seen(one, _OF_REACTIONS)} for one in some if one["id"] not in self.hidden]
            for kind, some in by_kind.items()
        }

    def _number(self, entry: Entry, seen: Entry, name: str, kind: str) -> int | None:
        """As the list tells, where it has them all, or the site's rows; None where nothing does."""
        count: int = entry[_COUNTS[_OF_ACTIVITIES if name in _OF_ACTIVITIES else _OF_REACTIONS]][kind]
        if not self._may_be_hidden(kind):
            return count
        listed = entry[name].get(kind, ()) if name in seen else ()
        if len(listed) >= count:
            return len(seen[name].get(kind, ())) if name in seen else 0
        row = parse_reference(entry.get("foreign_id"))
        return self._counted.get((row, kind)) if row else None

    def _may_be_hidden(self, kind: str) -> bool:
        models_ = [get_user_model(), *(one.model for one in self._publishers(kind))]
        return any(self._is_restricted(model) for model in models_)

    def _publishers(self, kind: str | None = None) -> Iterator[ReactionPublisher]:
        for one in publishers():
            if isinstance(one, ReactionPublisher) and kind in (None, one.reaction_kind):
                yield one

    def _of_hidden_users(self, reactions: Iterable[Entry]) -> Iterator[str]:
        by_model: dict[type[models.Model], dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
        for one in reactions:
            user = parse_reference(f"{USERS}:{one['user_id']}")
            if user and self._is_restricted(user.model):
                by_model[user.model][clean_pk(*user)].append(one["id"])
        for model, ids in by_model.items():
            rows = model._default_manager.filter(pk__in=[pk for pk in ids if pk is not None])
            seen = set(self._visible(rows).values_list("pk", flat=True))
            for pk in ids.keys() - seen:
                yield from ids[pk]

    def _of_hidden_rows(self, reactions: Sequence[Entry]) -> Iterator[str]:
        """An id does not tell the row that it is of: the visible rows tell their ids."""
        for publisher in self._publishers():
            mine = [one for one in reactions if one["kind"] == publisher.reaction_kind]
            if mine and visibility_of(publisher.model) is not None:
                seen = set(self._ids_of_visible_rows(publisher, mine))
                yield from (one["id"] for one in mine if one["id"] not in seen)

    def _ids_of_visible_rows(self, publisher: ReactionPublisher, reactions: list[Entry]) -> Iterator[str]:
        by_user: dict[str, set[str]] = defaultdict(set)
        for one in reactions:
            by_user[one["user_id"]].add(one["activity_id"])
        users = [user for user_id in by_user if (user := parse_reference(f"{USERS}:{user_id}"))]
        for model, pks in self._rows.items():
            for row in self._visible(publisher.rows_reacting_to(model, pks, users)):
                user_id = _user_id_of(publisher, row)
                for activity_id in by_user.get(user_id, ()):
                    yield publisher.id_of(row, activity_id, user_id)

    @cached_property
    def _rows(self) -> dict[type[models.Model], list[Any]]:
        """The keys of the rows that the activities are of, by their model."""
        found: dict[type[models.Model], list[Any]] = defaultdict(list)
        for activity in self._activities:
            row = parse_reference(activity.get("foreign_id"))
            if row and (pk := clean_pk(*row)) is not None:
                found[row.model].append(pk)
        return found

    @cached_property
    def _counted(self) -> dict[tuple[Reference, str], int]:
        """How many rows of each kind the viewer sees, for those kinds whose rows can be counted by SQL."""
        found: dict[tuple[Reference, str], int] = defaultdict(int)
        for publisher in self._publishers():
            for model, pks in self._rows.items():
                for pk, number in publisher.counts_reacting_to(model, pks, self._visible).items():
                    found[Reference(model, pk), publisher.reaction_kind] += number
        return found


def _user_id_of(publisher: ReactionPublisher, row: models.Model) -> str:
    """Who reacts; "" for nobody, and where the row's own code fails."""
    message = "nobody can tell who reacts by %s:%s"
    return or_else("", lambda: publisher.user_id_of(row), logger, message, row._meta.label, row.pk)


def reacted(raw: Entry, resolved: Entry) -> Entry | None:
    """What a notice of a reaction says, as an activity with that reaction; None for all other activities.

    `resolved` is the same with the reference of a row in place of the activity that was reacted to.
    """
    foreign_id, kind = raw.get("foreign_id"), raw["verb"]
    if not (isinstance(foreign_id, str) and foreign_id.startswith(_NOTICE) and isinstance(kind, str)):
        return None
    reaction = {
        "id": foreign_id.removeprefix(_NOTICE),
        "kind": kind,
        "user_id": _id_in(raw["actor"]),
        "activity_id": _id_in(raw["object"]),
    }
    return {"foreign_id": resolved["object"], "latest_reactions": {kind: [reaction]}}


def _id_in(value: Any) -> str:
    """The id behind `SU:` or `SA:`, or of the object that the API put in its place."""
    return str(value.get("id")) if isinstance(value, Mapping) else str(value).partition(":")[2]


def has_reactions(activity: Entry) -> bool:
    """Whether the API was asked for reactions too, and not only an activity has a field of such a name."""
    if activity.keys().isdisjoint(_ASKED_FOR):
        return False
    return _is_counts(activity.get("reaction_counts")) or any(
        _is_lists(activity.get(name)) for name in _OF_ACTIVITIES
    )


def _is_lists(value: object) -> bool:
    """Whether it is what the API says of reactions: anybody may write a field of the same name."""
    return isinstance(value, Mapping) and all(
        isinstance(some, list) and all(isinstance(one, Mapping) and _is_reaction(one) for one in some)
        for some in value.values()
    )


def _is_reaction(value: Entry) -> bool:
    return all(isinstance(value.get(name), str) for name in ("id", "kind", "user_id", "activity_id"))


def _is_counts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(number, int) for number in value.values())


def _reactions(activities: Iterable[Entry]) -> Iterator[Entry]:
    """All reactions of a page, those to reactions included."""
    for entry in activities:
        for name in (*_OF_ACTIVITIES, *_OF_REACTIONS):
            for some in entry[name].values() if _is_lists(entry.get(name)) else ():
                yield from some
                yield from _reactions(some)
