"""Streams and filters as objects of the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django_stream.server.models import AppStream, StreamFilter
from django_stream.server.streams.channels import address_of

Shape = dict[str, Any]


def stream(row: AppStream, base_url: str, *, is_deleted: bool = False) -> Shape:
    """A stream with its whole filter."""
    shape: Shape = {
        "id": str(row.pk),
        "key": row.key,
        "type": "long_poll",
        "object_types": row.object_types,
        "endpoint": address_of(row, base_url),
    }
    if row.filter is not None:
        shape["filter"] = filter_(row.filter)
    if is_deleted:
        shape["is_deleted"] = True
    return shape


def filter_(row: StreamFilter, *, is_deleted: bool = False) -> Shape:
    shape: Shape = {
        "id": str(row.pk),
        "name": row.name,
        "match_policy": row.match_policy,
        "clauses": row.clauses,
    }
    if is_deleted:
        shape["is_deleted"] = True
    return shape


def one(data: Shape) -> Shape:
    """The answer about one object."""
    return {"meta": {"code": 200}, "data": data}


def many(data: Sequence[Shape]) -> Shape:
    """The answer with a list. There are few enough for one page."""
    meta: Shape = {"code": 200, "more": False}
    if data:
        ids = [int(shape["id"]) for shape in data]
        meta |= {"min_id": str(min(ids)), "max_id": str(max(ids))}
    return {"meta": meta, "data": list(data)}
