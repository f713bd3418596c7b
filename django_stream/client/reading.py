"""Options of reads as query parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django_stream.client.encoding import comma_joined, plain
from django_stream.client.exceptions import ValidationError
from django_stream.client.types import Reactions
from django_stream.client.validation import known_keys, page_number
from django_stream.protocol import limits

_FLAGS = {
    "own": "withOwnReactions",
    "recent": "withRecentReactions",
    "counts": "withReactionCounts",
    "first": "withFirstReactions",
    "own_children": "withOwnChildren",
}
_LISTS = {"kinds": "reactionKindsFilter", "own_children_kinds": "withOwnChildrenKinds"}
_RECENT_LIMIT = "recent_limit"
_KEYS = frozenset({*_FLAGS, *_LISTS, _RECENT_LIMIT})


def feed_query(reactions: Reactions | None, **options: Any) -> dict[str, Any]:
    """The query of a feed read; what is None is left out."""
    page_number(options.get("limit"), "limit", limits.PAGE_MAX)
    page_number(options.get("offset"), "offset")
    query = {name: value for name, value in options.items() if value is not None}
    for name in ("mark_read", "mark_seen", "mark_unread"):
        if not isinstance(value := query.get(name, ""), str | bool):
            query[name] = comma_joined(name, value)
    if not isinstance(variables := query.get("ranking_vars", ""), str):
        query["ranking_vars"] = json.dumps(plain(variables, "ranking_vars"))
    return {**query, **reaction_query(reactions)} if reactions is not None else query


def reaction_query(reactions: Reactions | None) -> dict[str, Any]:
    """`{"counts": True, "kinds": ["like"]}` in the API's own parameter names."""
    if reactions is None:
        return {}
    if not isinstance(reactions, Mapping):
        raise ValidationError("reactions must be a mapping such as {'counts': True}", "reactions")
    known_keys(reactions, _KEYS, "reactions")
    given: dict[str, Any] = dict(reactions)
    query: dict[str, Any] = {wire: True for name, wire in _FLAGS.items() if given.get(name)}
    for name, wire in _LISTS.items():
        if joined := _joined(name, given.get(name)):
            query[wire] = joined
    if (limit := given.get(_RECENT_LIMIT)) is not None:
        page_number(limit, _RECENT_LIMIT, limits.LATEST_REACTIONS_MAX)
        query["recentReactionsLimit"] = limit
    return query


def _joined(name: str, kinds: Any) -> str:
    if not kinds or isinstance(kinds, str):
        return kinds or ""
    return comma_joined(name, [kind.strip() for kind in kinds if kind.strip()])
