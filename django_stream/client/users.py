"""Users: the profiles that `SU:` references stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_stream.client import times
from django_stream.client.api import Api, Scope, merged
from django_stream.client.encoding import comma_joined
from django_stream.client.exceptions import ValidationError
from django_stream.client.types import CreatedUsers, DeletedUsers, Done, FoundUsers, User
from django_stream.client.validation import listed, segment
from django_stream.protocol import limits, references, scopes

_SCOPE: Scope = (scopes.USERS, scopes.ANY)


class UserCalls:
    """`client.users`"""

    local_methods = frozenset({"create_reference"})

    def __init__(self, api: Api) -> None:
        self._api = api

    def add(
        self, user_id: object, data: Mapping[str, Any] | None = None, get_or_create: bool = False
    ) -> User:
        """Create a user; an existing one is a conflict, or the answer with `get_or_create`."""
        body = {"id": segment(user_id, "user_id"), "data": data}
        user: User = self._api.call(
            "POST",
            "user/",
            _SCOPE,
            query={"get_or_create": get_or_create},
            body=body,
            decode=times.stamped,
            repeatable=get_or_create,
        )
        return user

    def get(self, user_id: object, **params: Any) -> User:
        """One user; `with_follow_counts=True` brings the numbers of follows."""
        user: User = self._api.call("GET", _path(user_id), _SCOPE, query=params, decode=times.stamped)
        return user

    def update(self, user_id: object, data: Mapping[str, Any] | None = None) -> User:
        """Replace a user's data."""
        user: User = self._api.call(
            "PUT", _path(user_id), _SCOPE, body={"data": data}, decode=times.stamped, repeatable=True
        )
        return user

    def delete(self, user_id: object) -> Done:
        """Delete a user; references to it turn into 'not found' entries."""
        done: Done = self._api.call("DELETE", _path(user_id), _SCOPE)
        return done

    def add_many(self, users: Iterable[Mapping[str, Any]], override: bool = False) -> CreatedUsers:
        """Create users of the form {"id": "1", "data": {...}}; 100 per request."""
        entries = listed(users, "users")
        for index, entry in enumerate(entries):
            if not isinstance(entry, Mapping) or not entry.get("id"):
                raise ValidationError(f"users[{index}] must be a mapping with an id", "users")
        results = self._api.batches(
            entries,
            limits.USERS_PER_REQUEST,
            lambda part: self._api.call(
                "POST",
                "users/",
                _SCOPE,
                body={"users": part, "override": override},
                decode=times.users,
                repeatable=override,
            ),
        )
        created: CreatedUsers = merged(results, "created_users")
        return created

    def get_many(self, ids: Iterable[object]) -> FoundUsers:
        """Several users by id."""
        found: FoundUsers = self._by_ids("GET", ids, "users")
        return found

    def delete_many(self, ids: Iterable[object]) -> DeletedUsers:
        """Delete several users by id."""
        deleted: DeletedUsers = self._by_ids("DELETE", ids, "deleted_user_ids")
        return deleted

    def _by_ids(self, method: str, ids: Iterable[object], name: str) -> Any:
        results = self._api.batches(
            listed(ids, "ids"),
            limits.USERS_PER_REQUEST,
            lambda part: self._api.call(
                method, "users/", _SCOPE, query={"ids": comma_joined("ids", part)}, decode=times.users
            ),
        )
        return merged(results, name)

    def create_reference(self, id: object) -> str:
        """`SU:<id>`, for activities that point to a user."""
        return references.user_reference(id["id"] if isinstance(id, Mapping) else id)


def _path(user_id: object) -> str:
    return f"user/{segment(user_id, 'user_id')}/"
