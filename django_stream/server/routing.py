"""From a method and a path to the endpoint that answers it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django_stream.protocol.errors import ApiError
from django_stream.server.requests import Endpoint

_SLASHES = re.compile("/{2,}")
# `{feed}` is a feed's two segments, `{item...}` may hold slashes, any other name is one segment.
_PLACEHOLDER = re.compile(r"\{(?P<name>\w+)(?P<rest>\.\.\.)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint found, with what its pattern captured."""

    endpoint: Endpoint
    captures: Mapping[str, str]
    enriched: bool


Routes = Mapping[str, Sequence[tuple[re.Pattern[str], Endpoint]]]
"""Compiled rows of the table of endpoints by the first segment of their path, in the order of the table."""


def find_route(routes: Routes, method: str, path: str) -> Route:
    """The first row that answers this method and path; refusals are 404 and 405.

    A slash at the end is optional, and doubled slashes count as one.
    """
    if "\0" in path:
        raise ApiError.named("InputException", "the path holds a null character")
    plain = _SLASHES.sub("/", path).strip("/")
    enriched = plain.startswith("enrich/")
    wanted = plain.removeprefix("enrich/") if enriched else plain
    allowed = set()
    for pattern, endpoint in routes.get(wanted.partition("/")[0], ()):
        match = pattern.fullmatch(wanted)
        if match is None or (enriched and not endpoint.enrichable):
            continue
        if endpoint.method == method:
            return Route(endpoint, match.groupdict(), enriched)
        allowed.add(endpoint.method)
    if not allowed:
        raise ApiError.named("DoesNotExistException", f"there is no endpoint at {path!r}")
    methods = ", ".join(sorted(allowed))
    raise ApiError.named(
        "NotAllowedException",
        f"{method} is not allowed here, only {methods}",
        status=405,
        headers={"Allow": methods},
    )


def compile_routes(endpoints: Iterable[Endpoint]) -> Routes:
    """Make routes of the table of endpoints."""
    routes: dict[str, list[tuple[re.Pattern[str], Endpoint]]] = {}
    for endpoint in endpoints:
        pattern = re.compile(_PLACEHOLDER.sub(_expression, endpoint.pattern.strip("/")), re.DOTALL)
        routes.setdefault(endpoint.pattern.partition("/")[0], []).append((pattern, endpoint))
    return routes


def _expression(placeholder: re.Match[str]) -> str:
    if placeholder["name"] == "feed":
        return "(?P<slug>[^/]+)/(?P<user_id>[^/]+)"
    return f"(?P<{placeholder['name']}>{'.+' if placeholder['rest'] else '[^/]+'})"
