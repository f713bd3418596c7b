"""Filters of the admin's lists by values that the code knows: a large table is not read for them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


def among(field: str, values: Callable[[], Collection[str]]) -> type[admin.SimpleListFilter]:
    """By a field that is one of the values. Which of them a table holds, only all of it would tell."""

    class Among(admin.SimpleListFilter):
        title = field.replace("_", " ")
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, value) for value in sorted(values())]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            return queryset if value is None else queryset.filter(**{field: value})

    return Among
