"""The small families for those who run an application: audit logs, data privacy, moderation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_stream.client import times
from django_stream.client.api import Api, Scope, merged
from django_stream.client.exceptions import ValidationError
from django_stream.client.types import AuditLogPage, Done, Export, ModerationUpdates
from django_stream.client.validation import listed, page_number, segment
from django_stream.protocol import scopes, wire

_STATUSES_PER_REQUEST = 100


class AuditLogCalls:
    """`client.audit_logs`"""

    local_methods: frozenset[str] = frozenset()
    _scope: Scope = (scopes.AUDIT_LOGS, scopes.ANY)

    def __init__(self, api: Api) -> None:
        self._api = api

    def filter(
        self,
        *,
        entity_type: str | None = None,
        entity_id: str | None = None,
        user_id: str | None = None,
        limit: int | None = None,
        next: str | None = None,
        prev: str | None = None,
    ) -> AuditLogPage:
        """Who did what: to one thing (`entity_type` and `entity_id`), by one user, or both."""
        if (entity_type is None) != (entity_id is None) or (entity_type is None and user_id is None):
            raise ValidationError("give entity_type and entity_id, or user_id", "entity_id")
        page_number(limit, "limit")
        query = {
            "entity_type": entity_type,
            "entity_id": entity_id,
            "user_id": user_id,
            "limit": limit,
            "next": next,
            "prev": prev,
        }
        page: AuditLogPage = self._api.call(
            "GET", "audit_logs/", self._scope, query=query, decode=times.audit_logs
        )
        return page


def _add(export: wire.ExportedIds, more: wire.ExportedIds) -> None:
    export["activity_ids"] += more["activity_ids"]
    export["reaction_ids"] += more["reaction_ids"]
    export["activity_count"] += more["activity_count"]
    export["reaction_count"] += more["reaction_count"]


class DataPrivacyCalls:
    """`client.data_privacy`"""

    local_methods: frozenset[str] = frozenset()
    _scope: Scope = (scopes.DATA_PRIVACY, scopes.ANY)

    def __init__(self, api: Api) -> None:
        self._api = api

    def export_ids(self, user_id: object) -> Export:
        """The ids of a person's activities and reactions: of all, by as many calls as these take."""
        path = f"data_privacy/export_ids/{segment(user_id, 'user_id')}/"
        whole: Export = self._api.call("GET", path, self._scope)
        place = whole.pop("next", "")
        while place:
            page: Export = self._api.call("GET", path, self._scope, query={"next": place})
            _add(whole["export"], page["export"])
            place = page.get("next", "")
        return whole

    def delete_activities(self, activities: Iterable[Mapping[str, Any] | str]) -> Done:
        """Erase activities given by id, or as {"id": ..., "remove_from_feeds": [...]}."""
        entries = [
            item if isinstance(item, Mapping) else {"id": item} for item in listed(activities, "activities")
        ]
        body = {"activities": entries}
        done: Done = self._api.call(
            "POST", "data_privacy/delete_activities/", self._scope, body=body, repeatable=True
        )
        return done

    def delete_reactions(self, ids: Iterable[str], *, soft: bool = False) -> Done:
        """Erase reactions by id."""
        body = {"ids": listed(ids, "ids"), "soft": soft}
        done: Done = self._api.call(
            "POST", "data_privacy/delete_reactions/", self._scope, body=body, repeatable=True
        )
        return done


class ModerationCalls:
    """`client.moderation`"""

    local_methods: frozenset[str] = frozenset()
    _scope: Scope = (scopes.MODERATION, scopes.ANY)

    def __init__(self, api: Api) -> None:
        self._api = api

    def flag(
        self,
        entity_type: str,
        entity_id: str,
        user_id: str,
        *,
        reason: str,
        custom: Mapping[str, Any] | None = None,
    ) -> Done:
        """Report something, such as 'stream:feeds:v2:activity', in a user's name."""
        body: dict[str, Any] = {
            "entity_type": entity_type,
            "entity_id": entity_id,
            "user_id": user_id,
            "reason": reason,
        }
        if custom is not None:
            body["custom"] = custom
        done: Done = self._api.call("POST", "moderation/flag/", self._scope, body=body)
        return done

    def update_status(
        self,
        entity_type: str,
        entity_id: str,
        moderator_id: str,
        *,
        status: str,
        recommended_action: str = "",
        latest_moderator_action: str = "",
    ) -> Done:
        """Say what became of a reported thing."""
        body = {
            "entity_type": entity_type,
            "entity_id": entity_id,
            "moderator_id": moderator_id,
            "status": status,
            "recommended_action": recommended_action,
            "latest_moderator_action": latest_moderator_action,
        }
        done: Done = self._api.call("POST", "moderation/status/", self._scope, body=body, repeatable=True)
        return done

    def update_statuses(self, moderator_id: str, updates: Iterable[Mapping[str, Any]]) -> ModerationUpdates:
        """Several of these, 100 per request."""
        results = self._api.batches(
            listed(updates, "updates"),
            _STATUSES_PER_REQUEST,
            lambda part: self._api.call(
                "POST",
                "moderation/status/batch/",
                self._scope,
                body={"moderator_id": moderator_id, "updates": part},
                repeatable=True,
            ),
        )
        updated: ModerationUpdates = merged(results, "results")
        return updated

    def forget_user(self, user_id: object) -> Done:
        """Drop what the moderation cache knows of a user."""
        path = f"moderation/user/cache/{segment(user_id, 'user_id')}/"
        done: Done = self._api.call("DELETE", path, self._scope)
        return done
