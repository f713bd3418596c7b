"""Cursor paging over a feed, in the envelope of DRF's own paginators."""

from __future__ import annotations

from typing import Any

from django.db import models
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from django_stream.activities.model_references import clean_pk, object_id_of
from django_stream.feeds.paging import FeedReader, Page
from django_stream.protocol import limits
from django_stream.protocol.suggestions import did_you_mean, similar_names

_PARAMETERS = ("limit", "cursor")


def read_page(reader: FeedReader, request: Request) -> Page:
    """The page that `limit` and `cursor` of the query ask for; a bad limit is a 400 that names it."""
    limit = _limit(request)
    return reader.page(limit=limit, cursor=request.query_params.get("cursor"))


def rows_after(rows: models.QuerySet[Any], request: Request) -> tuple[list[Any], str | None]:
    """The rows of a page by the same parameters, the highest keys first, and the address of the next one."""
    limit, cursor = _limit(request), request.query_params.get("cursor")
    if cursor is not None:
        pk = clean_pk(rows.model, cursor)
        if pk is None:
            raise ValidationError({"cursor": ["There is no such page."]})
        rows = rows.filter(pk__lt=pk)
    found = list(rows.order_by("-pk")[: limit + 1])
    more = len(found) > limit
    last = object_id_of(found[limit - 1]) if more else ""
    return found[:limit], replace_query_param(request.build_absolute_uri(), "cursor", last) if more else None


def _limit(request: Request) -> int:
    _refuse_misspelt(request)
    text = request.query_params.get("limit", str(limits.PAGE_DEFAULT))
    if len(text) > 3 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= limits.PAGE_MAX:
        raise ValidationError({"limit": [f"Must be a number from 1 to {limits.PAGE_MAX}."]})
    return int(text)


def _refuse_misspelt(request: Request) -> None:
    """Other names may be for a subclass, or for a cache: only one that is nearly ours is a mistake."""
    others = [name for name in request.query_params if name not in _PARAMETERS]
    if wrong := [name for name in others if similar_names(name, _PARAMETERS)]:
        raise ValidationError({name: [f"Unknown. {did_you_mean(name, _PARAMETERS)}"] for name in wrong})


def envelope(page: Page, results: list[Any], request: Request) -> dict[str, Any]:
    url = request.build_absolute_uri()
    body: dict[str, Any] = {
        "next": replace_query_param(url, "cursor", page.next) if page.next else None,
        "results": results,
    }
    if page.unseen is not None:
        body |= {"unseen": page.unseen, "unread": page.unread}
    return body
