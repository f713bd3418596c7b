"""Texts looked for in every column of a table that can hold any."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import F, Q, TextField
from django.db.models.functions import Cast

_TEXTS = (models.CharField, models.TextField, models.FileField)
_AT_ONCE = 50


def columns_with_text(model: type[models.Model]) -> list[str]:
    """The columns of a model that hold text or JSON."""
    return [
        field.attname
        for field in model._meta.concrete_fields
        if isinstance(field, (*_TEXTS, models.JSONField)) or isinstance(_target(field), _TEXTS)
    ]


def rows_with(model: type[models.Model], texts: Collection[str], using: str) -> Iterator[dict[str, Any]]:
    """Rows in which one of the texts stands, as {column: text}, and `pk`; the table is read once for fifty.

    Letters of ASCII are compared without regard to their case; a database may do so for others, too.
    """
    columns = columns_with_text(model)
    if not columns:
        return
    rows = model._base_manager.using(using).annotate(
        **{f"text_of_{name}": Cast(F(name), TextField()) for name in columns}
    )
    wanted = sorted(set(texts))
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        found = reduce(or_, (Q(**{f"text_of_{name}__icontains": one}) for name in columns for one in some))
        for pk, *values in (
            rows.filter(found)
            .order_by()
            .values_list("pk", *(f"text_of_{name}" for name in columns))
            .iterator(chunk_size=500)
        ):
            yield {"pk": pk, **dict(zip(columns, values, strict=True))}


def _target(field: models.Field[Any, Any]) -> Any:
    return getattr(field, "target_field", None) if field.is_relation else None
