"""What clients send, as OpenAPI schemas; what the server answers is in `wire_schemas`."""

from __future__ import annotations

from typing import Any

from django_stream.protocol import limits

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FREE: Schema = {"type": "object", "additionalProperties": True}
WORD: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9_-]{1,255}$"}
FEED_ID: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9_-]+:[A-Za-z0-9_-]+$", "example": "user:1"}
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
COMPONENTS: dict[str, Schema] = {
    "NewActivity": _NEW_ACTIVITY,
    "Change": _CHANGE,
    "Retargeting": _RETARGETING,
}
