"""What the endpoints of reactions, users, collections, files and open graph data take."""

from __future__ import annotations

from django_stream.protocol import limits
from django_stream.server.files.images import RESIZE_MODES
from django_stream.server.openapi.objects import (
    ACTIVITY_ID,
    FEED_ID,
    FREE,
    TEXT,
    WORD,
    Schema,
    fields,
    listed,
)

_FLAG: Schema = {"type": "boolean"}
_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_SIDE: Schema = {"type": "number", "minimum": 1}
_REACTION_PAGE: Schema = {
    "type": "integer",
    "minimum": 1,
    "default": limits.REACTION_PAGE_DEFAULT,
    "description": f"More than {limits.REACTION_PAGE_MAX} are cut to that.",
}


def _or_null(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


_TARGETS: dict[str, Schema] = {
    "target_feeds": _or_null(listed(FEED_ID, limits.TARGETS_PER_REACTION)),
    "target_feeds_extra_data": _or_null(FREE),
}
_USER = fields(("id",), id=_ID, data=_or_null(FREE))
_IDS = {"ids": TEXT}
_URL = {"url": TEXT}
_BOUNDS = dict.fromkeys(("id_lt", "id_lte", "id_gt", "id_gte"), TEXT)
_SEARCH: dict[str, Schema] = {
    "limit": _REACTION_PAGE,
    **_BOUNDS,
    "filter_user_id": TEXT,
    "with_activity_data": _FLAG,
    "with_own_children": _FLAG,
    "with_own_children_kinds": TEXT,
    "children_user_id": TEXT,
}

OBJECT_BODIES: dict[tuple[str, str], Schema] = {
    ("POST", "reaction"): fields(
        ("kind",),
        kind=_ID,
        activity_id=ACTIVITY_ID,
        parent=_or_null(_ID),
        user_id=_or_null(_ID),
        id=_or_null(_ID),
        data=_or_null(FREE),
        **_TARGETS,
    ),
    ("PUT", "reaction/{reaction}"): fields(("data",), data=FREE, **_TARGETS),
    ("POST", "user"): _USER,
    ("PUT", "user/{user...}"): fields(("data",), data=FREE),
    ("POST", "users"): fields(("users",), users=listed(_USER, limits.USERS_PER_REQUEST), override=_FLAG),
    ("POST", "collections"): fields(
        ("data",),
        data={
            "type": "object",
            "additionalProperties": listed(
                fields(("id",), id=WORD) | {"additionalProperties": True}, limits.COLLECTION_SELECT
            ),
        },
    ),
    ("POST", "collections/{collection}"): fields(
        ("data",), id=_or_null(WORD), data=FREE | {"minProperties": 1}, user_id=_or_null(_ID)
    ),
    ("PUT", "collections/{collection}/{entry}"): fields(("data",), data=FREE | {"minProperties": 1}),
    ("POST", "files/refresh"): fields(("url",), url=TEXT),
    ("POST", "images/refresh"): fields(("url",), url=TEXT),
    ("POST", "data_privacy/delete_reactions"): fields(("ids",), ids=listed(_ID, 100), soft=_FLAG),
}
OBJECT_QUERIES: dict[tuple[str, str], dict[str, Schema]] = {
    ("GET", "reaction/get_many"): {**_IDS, "include_deleted": _FLAG, "user_id": TEXT},
    ("DELETE", "reaction/{reaction}"): {"soft": _FLAG},
    ("GET", "reaction/{lookup}/{value}"): _SEARCH,
    ("GET", "reaction/{lookup}/{value}/{kind...}"): _SEARCH,
    ("POST", "user"): {"get_or_create": _FLAG},
    ("GET", "user/{user...}"): {"with_follow_counts": _FLAG},
    ("GET", "users"): _IDS,
    ("DELETE", "users"): _IDS,
    ("GET", "collections"): {"foreign_ids": TEXT},
    ("DELETE", "collections"): {"collection_name": WORD, **_IDS},
    ("DELETE", "files"): _URL,
    ("DELETE", "images"): _URL,
    ("GET", "images"): {
        **_URL,
        "w": _SIDE,
        "h": _SIDE,
        "resize": {"type": "string", "enum": list(RESIZE_MODES), "default": RESIZE_MODES[0]},
        "crop": TEXT,
    },
    ("GET", "og"): _URL,
}
# By its other name.
OBJECT_BODIES["POST", "meta"] = OBJECT_BODIES["POST", "collections"]
OBJECT_QUERIES["GET", "meta"] = OBJECT_QUERIES["GET", "collections"]
UPLOADS = frozenset({"files", "images"})
UPLOAD: Schema = fields(("file",), file={"type": "string", "format": "binary"})
