"""Pages of feeds: which window a request asks for, and where the next page is."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django_stream.protocol import limits
from django_stream.protocol.errors import ApiError
from django_stream.server.activity_input import key_or_none
from django_stream.server.requests import Call
from django_stream.server.timelines import Window

BOUNDS = ("id_lt", "id_lte", "id_gt", "id_gte")
# What the next page is not asked again: its place, and what was done once.
_NOT_CARRIED = frozenset(
    {"id_lt", "id_lte", "offset", "limit", "api_key", "mark_read", "mark_seen", "refresh", "session"}
)


def conflicting(detail: str) -> ApiError:
    return ApiError.named("InvalidPaginationException", detail)


def window_of(call: Call) -> Window:
    """The part of a feed that the request asks for."""
    parameters = call.parameters
    bounds = {name: _bound(call, name) for name in BOUNDS if parameters.text(name)}
    for strict, loose in (("id_lt", "id_lte"), ("id_gt", "id_gte")):
        if strict in bounds and loose in bounds:
            raise conflicting(f"{strict} and {loose} exclude each other")
    upper = bounds.get("id_lt") or bounds.get("id_lte")
    lower = bounds.get("id_gt") or bounds.get("id_gte")
    if upper and lower and upper < lower:
        raise conflicting("the id bounds exclude each other")
    return Window(
        limit=parameters.number("limit", limits.PAGE_DEFAULT, most=limits.PAGE_MAX),
        offset=parameters.number("offset", 0),
        below=bounds.get("id_lt"),
        up_to=bounds.get("id_lte"),
        above=bounds.get("id_gt"),
        from_on=bounds.get("id_gte"),
    )


def _bound(call: Call, name: str) -> uuid.UUID:
    # On grouped feeds the id of a group is its newest activity's, on notification feeds with `.name` behind.
    key = key_or_none(call.parameters.text(name).partition(".")[0])
    if key is None:
        raise conflicting(f"{name} must be the id of an entry, not {call.parameters.text(name)!r}")
    return key


def next_by_id(call: Call, last_id: str, limit: int) -> str:
    """The address of the page after `last_id`."""
    return _next(call, {"id_lt": last_id, "limit": str(limit)})


def next_by_offset(call: Call, offset: int, limit: int, session: str) -> str:
    """The address of the page that begins at `offset` in the same session of a ranked feed."""
    return _next(call, {"offset": str(offset), "limit": str(limit), "session": session})


def _next(call: Call, place: dict[str, str]) -> str:
    carried = [(name, value) for name, value in call.parameters.items() if name not in _NOT_CARRIED]
    return f"{call.path()}?{urlencode([*place.items(), *carried])}"
