"""The users of an answer, loaded together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import router
from django.db.models import OuterRef, Subquery

from django_stream.database.statements import Database, equal, one_of, time_text
from django_stream.server.models import Reaction, StreamUser
from django_stream.server.reads.reaction_rows import ReactionRow, json_value, wire_time

Shape = dict[str, Any]


class AnswerUsers:
    """Profiles by id, and shapes of those who reacted without having one."""

    def __init__(self, profiles: dict[str, Shape], strangers: dict[str, Shape]) -> None:
        self._profiles = profiles
        self._authors = strangers | profiles

    @classmethod
    def load(
        cls, application_id: int, referred: Iterable[str], reactions: Iterable[ReactionRow]
    ) -> AnswerUsers:
        by_user = {reaction.user_id: reaction.pk for reaction in reactions}
        profiles = _profiles(application_id, {*referred, *by_user})
        return cls(profiles, _strangers({name: pk for name, pk in by_user.items() if name not in profiles}))

    def profile(self, user_id: str) -> Shape | None:
        """A user on the wire, in an object of its own; None without a profile."""
        known = self._profiles.get(user_id)
        return None if known is None else known.copy()

    def author(self, user_id: str) -> Shape:
        """Whoever reacted; without a profile they exist since their first reaction."""
        return self._authors[user_id].copy()


def _profiles(application_id: int, user_ids: Collection[str]) -> dict[str, Shape]:
    if not user_ids:
        return {}
    rows = Database.to_read(StreamUser).select(
        StreamUser,
        ["user_id", "data", time_text("created_at"), time_text("updated_at")],
        equal("application_id", application_id),
        one_of("user_id", user_ids),
    )
    return {
        user_id: {
            "id": user_id,
            "data": json_value(data),
            "created_at": wire_time(created_at),
            "updated_at": wire_time(updated_at),
        }
        for user_id, data, created_at, updated_at in rows
    }


def _strangers(reactions: dict[str, int]) -> dict[str, Shape]:
    """One reaction of each user is enough to find their first one in the index."""
    if not reactions:
        return {}
    theirs = Reaction.objects.filter(application=OuterRef("application"), user_id=OuterRef("user_id"))
    first = Subquery(theirs.order_by("pk").values("created_at")[:1])
    rows = Reaction.objects.using(router.db_for_read(Reaction)).filter(pk__in=reactions.values())
    seen = dict(rows.annotate(first=first).values_list("user_id", "first"))
    strangers: dict[str, Shape] = {user_id: {"id": user_id} for user_id in reactions}
    for user_id, moment in seen.items():
        strangers[user_id] |= {"created_at": wire_time(moment), "updated_at": wire_time(moment)}
    return strangers
