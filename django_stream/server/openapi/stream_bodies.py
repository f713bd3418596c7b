"""What the endpoints of streams and filters take."""

from __future__ import annotations

from django_stream.server.object_types import NAMES
from django_stream.server.openapi.objects import FREE, TEXT, Schema, fields, listed
from django_stream.server.streams.clauses import LIST_MAX, OPERATORS, TEXT_MAX
from django_stream.server.streams.filters import CLAUSES_MAX, NAME_MAX, POLICIES

_NAME: Schema = {"type": "string", "enum": list(NAMES)}
_SHORT: Schema = {"type": "string", "maxLength": TEXT_MAX}
_SCALAR: Schema = {"oneOf": [_SHORT, {"type": "integer"}, {"type": "boolean"}]}
_CLAUSE = fields(
    ("object_type", "operator", "field", "value"),
    object_type=_NAME,
    operator={"type": "string", "enum": list(OPERATORS)},
    field={"type": "string", "maxLength": TEXT_MAX, "pattern": "^/(data|meta)/", "example": "/data/verb"},
    value={"oneOf": [*_SCALAR["oneOf"], listed(_SCALAR, LIST_MAX)]},
)
_STREAM = fields(
    ("object_types",),
    object_types=listed(_NAME) | {"minItems": 1},
    type={"type": "string", "enum": ["long_poll"]},
    filter_id=TEXT,
    key={"type": "string", "pattern": r"^\w{1,32}$"},
)
_FILTER = fields(
    ("match_policy", "clauses"),
    name={"type": "string", "maxLength": NAME_MAX},
    match_policy={"type": "string", "enum": list(POLICIES)},
    clauses=listed(_CLAUSE, CLAUSES_MAX) | {"minItems": 1},
)
STREAM_BODIES: dict[tuple[str, str], Schema] = {
    ("POST", "streams"): _STREAM,
    ("PUT", "streams/{stream}"): _STREAM,
    ("PUT", "streams/{stream}/webhook"): fields(("url",), url={"type": "string", "maxLength": 500}),
    ("POST", "streams/{stream}/webhook/dead_letters"): FREE,
    ("POST", "filters"): _FILTER,
    ("PUT", "filters/{filter}"): _FILTER,
}
STREAM_QUERIES: dict[tuple[str, str], dict[str, Schema]] = {
    ("GET", "streams"): {"key": TEXT},
    ("GET", "streams/{stream}/events"): {"last_event_id": TEXT, "purge": {"type": "boolean"}},
}
