"""The objects of the wire as OpenAPI schemas."""

from __future__ import annotations

from typing import Any

from django_stream.protocol import limits

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FREE: Schema = {"type": "object", "additionalProperties": True}
FEED_ID: Schema = {"type": "string", "pattern": r"^[\w-]+:[\w-]+$", "example": "user:1"}
ACTIVITY_ID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "example": "2018-12-21T09:45:42.455925"}
NAME: Schema = {"oneOf": [{"type": "string", "maxLength": limits.TEXT_BYTES}, {"type": "integer"}]}
COPY_LIMIT: Schema = {"type": "integer", "minimum": 0, "maximum": limits.COPY_LIMIT_MAX}


def listed(items: Schema, most: int | None = None) -> Schema:
    return {"type": "array", "items": items} | ({} if most is None else {"maxItems": most})


def fields(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    shape: Schema = {"type": "object", "properties": properties}
    return shape | ({"required": list(required)} if required else {})


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_FEED_IDS = listed(FEED_ID, limits.TARGETS_PER_ACTIVITY)
_NEW_ACTIVITY = fields(
    ("actor", "verb", "object"),
    actor=NAME,
    verb=NAME,
    object=NAME,
    target=NAME,
    foreign_id=NAME,
    time=TIME,
    to=_FEED_IDS,
) | {"additionalProperties": True}
_ACTIVITY = fields(
    ("id", "actor", "verb", "object", "target", "foreign_id", "origin", "time"),
    id=ACTIVITY_ID,
    actor=TEXT,
    verb=TEXT,
    object=TEXT,
    target=TEXT,
    foreign_id=TEXT,
    origin={"type": ["string", "null"]},
    time=TIME,
    to=_FEED_IDS,
) | {"additionalProperties": True}
_CHANGE = fields(
    id=ACTIVITY_ID,
    foreign_id=TEXT,
    time=TIME,
    set=FREE,
    unset=listed(TEXT, limits.KEYS_PER_CHANGE),
)
_RETARGETING = fields(
    id=ACTIVITY_ID,
    foreign_id=TEXT,
    time=TIME,
    new_targets=_FEED_IDS,
    added_targets=_FEED_IDS,
    removed_targets=_FEED_IDS,
)
_ERROR = fields(
    ("detail", "status_code", "code", "exception", "more_info", "duration"),
    detail=TEXT,
    status_code={"type": "integer"},
    code={"type": "integer"},
    exception=TEXT,
    exception_fields={"type": "object", "additionalProperties": listed(TEXT)},
    more_info=TEXT,
    duration=TEXT,
)

COMPONENTS: dict[str, Schema] = {
    "NewActivity": _NEW_ACTIVITY,
    "Activity": _ACTIVITY,
    "Change": _CHANGE,
    "Retargeting": _RETARGETING,
    "Follow": fields(feed_id=FEED_ID, target_id=FEED_ID, created_at=TEXT, updated_at=TEXT),
    "Error": _ERROR,
}
