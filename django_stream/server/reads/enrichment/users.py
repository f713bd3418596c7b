"""The users of an answer, loaded together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, cast

from django_stream.database.conditions import equal, one_of, time_text
from django_stream.database.statements import Database
from django_stream.protocol import wire
from django_stream.server.models import StreamUser
from django_stream.server.reads.answer_size import AnswerSize, weight
from django_stream.server.reads.large_values import LargeValues, short
from django_stream.server.reads.latest_reactions import first_moments
from django_stream.server.reads.reaction_rows import ReactionRow, json_value, wire_time

Profile = wire.User[str]
WithoutProfile = wire.UserWithoutProfile[str]
Row = tuple[Any, str, str]
"""The data of a user, None where they are large, and its times as the database tells them."""


class AnswerUsers:
    """Profiles by id, and those who reacted without having one."""

    def __init__(
        self,
        *,
        application_id: int,
        profiles: dict[str, Row],
        without_profile: dict[str, WithoutProfile],
        size: AnswerSize,
    ) -> None:
        self._profiles = profiles
        self._size = size
        self._shown: dict[str, tuple[Profile | WithoutProfile, int]] = {
            user_id: (user, 0) for user_id, user in without_profile.items()
        }
        self._large = LargeValues[str](partial(_data_of, application_id))
        for user_id, (data, *_) in profiles.items():
            if data is None:
                self._large.expect(user_id)

    @classmethod
    def load(
        cls,
        application_id: int,
        referred: Iterable[str],
        reactions: Iterable[ReactionRow],
        size: AnswerSize,
    ) -> AnswerUsers:
        """The users with these ids and those of the reactions: a query for profiles, one for the others."""
        by_user = {reaction.user_id: reaction.pk for reaction in reactions}
        profiles = _profiles(application_id, dict.fromkeys([*referred, *by_user]))
        others = {user_id: pk for user_id, pk in by_user.items() if user_id not in profiles}
        return cls(
            application_id=application_id,
            profiles=profiles,
            without_profile=_without_profile(others),
            size=size,
        )

    def profile(self, user_id: str) -> Profile | None:
        """A user as an object of its own; None without a profile."""
        return cast("Profile", self.author(user_id)) if user_id in self._profiles else None

    def author(self, user_id: str) -> Profile | WithoutProfile:
        """The user of a reaction; without a profile, one who exists since their first reaction."""
        shown = self._shown.get(user_id)
        if shown is None:
            shown = self._shown[user_id] = self._shape(user_id)
        profile, size = shown
        self._size.add(size)
        return profile.copy()

    def _shape(self, user_id: str) -> tuple[Profile, int]:
        data, created_at, updated_at = self._profiles[user_id]
        if data is None:
            data = self._large.get(user_id)
        created = updated = wire_time(created_at)
        if updated_at != created_at:
            updated = wire_time(updated_at)
        shape: Profile = {
            "id": user_id,
            "data": json_value(data),
            "created_at": created,
            "updated_at": updated,
        }
        return shape, weight(data)


def _profiles(application_id: int, user_ids: Collection[str]) -> dict[str, Row]:
    if not user_ids:
        return {}
    rows = Database.to_read(StreamUser).select(
        StreamUser,
        ["user_id", short("data"), time_text("created_at"), time_text("updated_at")],
        equal("application_id", application_id),
        one_of("user_id", user_ids),
    )
    found = {user_id: (data, created_at, updated_at) for user_id, data, created_at, updated_at in rows}
    # In the order of the ids, which is about that in which they are shown.
    return {user_id: found[user_id] for user_id in user_ids if user_id in found}


def _data_of(application_id: int, user_ids: Collection[str]) -> dict[str, Any]:
    chosen = equal("application_id", application_id), one_of("user_id", user_ids)
    return dict(Database.to_read(StreamUser).select(StreamUser, ["user_id", "data"], *chosen))


def _without_profile(reactions: dict[str, int]) -> dict[str, WithoutProfile]:
    """Users by id; `reactions` is {user id: number of one of their reactions}.

    One reaction of each user is enough to find their first one in the index.
    """
    if not reactions:
        return {}
    authors: dict[str, WithoutProfile] = {user_id: {"id": user_id} for user_id in reactions}
    for user_id, moment in first_moments(reactions.values()):
        since = wire_time(moment)
        authors[user_id] = {"id": user_id, "created_at": since, "updated_at": since}
    return authors
