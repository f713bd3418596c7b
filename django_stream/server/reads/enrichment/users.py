# ruff: noqa: S608 (only the name of our own table is put into the text)
"""The users of an answer, loaded together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import router
from django.db.models import OuterRef, Subquery

from django_stream.server import sql
from django_stream.server.models import Reaction, StreamUser
from django_stream.server.reads.columns import array, one_of, time_of
from django_stream.server.reads.reaction_rows import ReactionRow, json_value, time_text

USER = StreamUser._meta.db_table

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
    connection = sql.reader(StreamUser)
    created, updated = time_of(connection, "created_at"), time_of(connection, "updated_at")
    rows = sql.rows(
        connection,
        f"SELECT user_id, data, {created}, {updated} FROM {USER} "
        f"WHERE application_id = %s AND {one_of(connection, 'user_id')}",
        [application_id, array(connection, user_ids)],
    )
    return {
        user_id: {
            "id": user_id,
            "data": json_value(data),
            "created_at": time_text(created_at),
            "updated_at": time_text(updated_at),
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
        strangers[user_id] |= {"created_at": time_text(moment), "updated_at": time_text(moment)}
    return strangers
