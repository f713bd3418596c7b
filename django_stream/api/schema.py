"""What drf-spectacular says of our views; loaded where its app is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

_TEXT, _FLAG, _NUMBER = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
_ANY: dict[str, Any] = {"type": "object", "additionalProperties": True}


def _object(required: bool = True, **properties: Any) -> dict[str, Any]:
    named = {"required": list(properties)} if required else {}
    return {"type": "object", "properties": properties, **named}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "nullable": True}


_LINK = {"type": "string", "format": "uri"}
_MARK = {"oneOf": [_FLAG, _list(_TEXT)]}
_MARKS = _object(required=False, mark_seen=_MARK, mark_read=_MARK)
_COUNTS = _object(unseen=_NUMBER, unread=_NUMBER)
_PAGE = _object(next=_nullable(_LINK), results=_list(_ANY))
_FEED = {**_PAGE, "properties": _PAGE["properties"] | _COUNTS["properties"]}
_REACTION = _object(id=_TEXT, kind=_TEXT, user=_nullable(_ANY), data=_ANY)
_CHOSEN = _object(
    required=False,
    verbs={"type": "object", "additionalProperties": _object(False, in_feed=_FLAG, by_email=_FLAG)},
    digest={"type": "string", "enum": ["daily", "weekly", "off"]},
)
_FOLLOWS = _object(following=_FLAG, requested=_FLAG)
_PAGING = [
    OpenApiParameter("limit", int, description="From 1 to 100."),
    OpenApiParameter("cursor", str, description="That of `next` of the page before."),
]


def _told(name: str, answer: Any = None, status: int = 200, *, body: Any = None, paged: bool = False) -> Any:
    return extend_schema(
        operation_id=name,
        request=body,
        responses={status: answer} if answer else {204: None},
        parameters=_PAGING if paged else None,
    )


_VIEWS: dict[str, dict[str, Any]] = {
    "views.FeedView": {
        "get": _told("feed", _FEED, paged=True),
        "post": _told("feed_mark", body={"application/json": _MARKS}),
    },
    "notifications.NotificationsView": {
        "get": _told("notifications", _FEED, paged=True),
        "post": _told("notifications_mark", body={"application/json": _MARKS}),
        "delete": _told("notifications_dismiss_all"),
    },
    "notifications.NotificationView": {"delete": _told("notification_dismiss")},
    "notifications.PreferencesView": {
        "get": _told("preferences", _CHOSEN),
        "patch": _told("preferences_change", _CHOSEN, body={"application/json": _CHOSEN}),
    },
    "people.FollowView": {
        "get": _told("is_following", _object(following=_FLAG)),
        "post": _told("follow", _FOLLOWS),
        "delete": _told("unfollow", _FOLLOWS),
    },
    "people.NotificationCountView": {"get": _told("notification_count", _COUNTS)},
    "people.UserTokenView": {
        "post": _told("user_token", _object(token=_TEXT, user_id=_TEXT, expires_at=_TEXT)),
    },
    "reactions.ReactionsView": {
        "get": _told("reactions", _object(next=_nullable(_LINK), results=_list(_REACTION)), paged=True),
        "post": _told("reaction_add", _REACTION, 201, body={"application/json": _ANY}),
        "delete": _told("reactions_delete"),
    },
    "reactions.ReactionView": {"delete": _told("reaction_delete")},
}


def _extension(path: str, methods: Mapping[str, Any]) -> None:
    """Extensions are known by being defined."""

    class Described(OpenApiViewExtension):  # type: ignore[no-untyped-call]
        target_class = f"django_stream.api.{path}"

        def view_replacement(self) -> type:
            view: type = extend_schema_view(**methods)(type(self.target.__name__, (self.target,), {}))
            return view


for _path, _methods in _VIEWS.items():
    _extension(_path, _methods)
