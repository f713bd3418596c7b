"""The objects of `protocol.wire` as OpenAPI schemas: what is typed is what is described."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import (
    Any,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from django_stream.protocol import wire
from django_stream.server.openapi.objects import Schema, ref

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def components() -> dict[str, Schema]:
    """Every object of the wire by its name."""
    kinds = [kind for name, kind in vars(wire).items() if is_typeddict(kind) and name != "Stamped"]
    return {kind.__name__: _object(kind) for kind in kinds}


def _object(kind: type) -> Schema:
    hints = get_type_hints(kind, include_extras=True)
    # A NotRequired inside an annotation that is still text is not among the optional keys.
    always: frozenset[str] = kind.__required_keys__  # type: ignore[attr-defined]
    required = [
        name for name, hint in hints.items() if name in always and get_origin(hint) is not NotRequired
    ]
    shape: Schema = {"type": "object", "properties": {name: schema_of(hint) for name, hint in hints.items()}}
    return shape | ({"required": required} if required else {})


def schema_of(hint: Any) -> Schema:
    """The schema of an annotation. Objects are referred to by name; times are texts on the wire."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if isinstance(hint, TypeVar):
        return {"type": "string"}
    if origin is NotRequired:
        return schema_of(arguments[0])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(one) for one in arguments]}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if origin in (list, Sequence):
        return {"type": "array", "items": schema_of(arguments[0])}
    if is_typeddict(origin or hint):
        return ref((origin or hint).__name__)
    return {"type": _PLAIN[hint]}
