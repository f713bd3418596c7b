"""Reactions: likes, comments and whatever else people do to an activity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_stream.client import times
from django_stream.client.api import Api, Scope
from django_stream.client.encoding import comma_joined
from django_stream.client.exceptions import ValidationError
from django_stream.client.types import Done, FoundReactions, Reaction, ReactionPage
from django_stream.client.validation import feed_list, known_keys, listed, page_number, segment
from django_stream.protocol import limits, references, scopes

_SCOPE: Scope = (scopes.REACTIONS, scopes.ANY)
_LOOKUPS = ("activity_id", "reaction_id", "user_id")
_EXTRAS = frozenset({"id", "moderation_template"})


class ReactionCalls:
    """`client.reactions`"""

    local_methods = frozenset({"create_reference"})

    def __init__(self, api: Api) -> None:
        self._api = api

    def add(
        self,
        kind: str,
        activity_id: object,
        user_id: object = None,
        data: Mapping[str, Any] | None = None,
        target_feeds: Iterable[str] | None = None,
        target_feeds_extra_data: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> Reaction:
        """React to an activity; `id` and `moderation_template` may be given too.

        `target_feeds` get an activity that tells of the reaction.
        """
        about = {"kind": kind, "activity_id": activity_id, "user_id": user_id, "data": data}
        return self._add(about, target_feeds, target_feeds_extra_data, extra)

    def add_child(
        self,
        kind: str,
        parent_id: object,
        user_id: object = None,
        data: Mapping[str, Any] | None = None,
        target_feeds: Iterable[str] | None = None,
        target_feeds_extra_data: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> Reaction:
        """React to a reaction, such as a like of a comment."""
        about = {"kind": kind, "parent": parent_id, "user_id": user_id, "data": data}
        return self._add(about, target_feeds, target_feeds_extra_data, extra)

    def _add(self, about: dict[str, Any], feeds: Any, feeds_data: Any, extra: dict[str, Any]) -> Reaction:
        _required(about["kind"], "kind")
        subject = "activity_id" if "activity_id" in about else "parent"
        _required(about[subject], subject)
        _object_or_none(about["data"], "data")
        known_keys(extra, _EXTRAS, "a reaction")
        body = {**about, "target_feeds": _targets(feeds), "target_feeds_extra_data": feeds_data, **extra}
        reaction: Reaction = self._api.call("POST", "reaction/", _SCOPE, body=body, decode=times.reaction)
        return reaction

    def get(self, reaction_id: object) -> Reaction:
        """One reaction, also when it is softly deleted."""
        reaction: Reaction = self._api.call("GET", _path(reaction_id), _SCOPE, decode=times.reaction)
        return reaction

    def get_many(self, ids: Iterable[object], include_deleted: bool = False, **params: Any) -> FoundReactions:
        """Several reactions by id; softly deleted ones only with `include_deleted`."""
        query = {"ids": comma_joined("ids", listed(ids, "ids")), **params}
        if include_deleted:
            query["include_deleted"] = True
        found: FoundReactions = self._api.call(
            "GET", "reaction/get_many/", _SCOPE, query=query, decode=times.reactions
        )
        return found

    def update(
        self,
        reaction_id: object,
        data: Mapping[str, Any] | None = None,
        target_feeds: Iterable[str] | None = None,
        target_feeds_extra_data: Mapping[str, Any] | None = None,
    ) -> Reaction:
        """Replace data and target feeds; without target feeds, the former ones lose their activity."""
        _object_or_none(data, "data")
        body = {"data": data, "target_feeds": _targets(target_feeds)}
        if target_feeds_extra_data is not None:
            body["target_feeds_extra_data"] = target_feeds_extra_data
        reaction: Reaction = self._api.call(
            "PUT", _path(reaction_id), _SCOPE, body=body, decode=times.reaction, repeatable=True
        )
        return reaction

    def delete(self, reaction_id: object, soft: bool = False) -> Done:
        """Delete a reaction; a softly deleted one can be restored."""
        done: Done = self._api.call("DELETE", _path(reaction_id), _SCOPE, query={"soft": soft})
        return done

    def restore(self, reaction_id: object) -> Done:
        """Bring a softly deleted reaction back."""
        done: Done = self._api.call("PUT", f"{_path(reaction_id)}restore/", _SCOPE, body={})
        return done

    def filter(self, **params: Any) -> ReactionPage:
        """Reactions by one of `activity_id`, `reaction_id` or `user_id`, and `kind`.

        Pages with `limit` and `id_lt`, `id_lte` (newest first) or `id_gt`, `id_gte` (oldest first).
        """
        given = [name for name in _LOOKUPS if params.get(name) is not None]
        if not given or (len(given) > 1 and given != ["activity_id", "user_id"]):
            raise ValidationError(f"give one of {', '.join(_LOOKUPS)}", given[0] if given else "activity_id")
        # With an activity named, user_id is whose own children are meant, as the API has it.
        lookup = given[0]
        page_number(params.get("limit"), "limit")
        path = f"reaction/{lookup}/{segment(params.pop(lookup), lookup)}/"
        if (kind := params.pop("kind", None)) is not None:
            path += f"{segment(kind, 'kind')}/"
        page: ReactionPage = self._api.call("GET", path, _SCOPE, query=params, decode=times.reaction_page)
        return page

    def create_reference(self, reaction: object) -> str:
        """`SR:<id>`, for activities that point to a reaction."""
        return references.reaction_reference(reaction["id"] if isinstance(reaction, Mapping) else reaction)


def _path(reaction_id: object) -> str:
    return f"reaction/{segment(reaction_id, 'reaction_id')}/"


def _required(value: object, field: str) -> None:
    if value in (None, ""):
        raise ValidationError(f"a reaction needs {field}", field)


def _object_or_none(value: object, field: str) -> None:
    if value is not None and not isinstance(value, Mapping):
        raise ValidationError(f"{field} must be a mapping, not {type(value).__name__}", field)


def _targets(feeds: Iterable[str] | None) -> list[str] | None:
    return None if feeds is None else feed_list(feeds, "target_feeds", limits.TARGETS_PER_REACTION)
