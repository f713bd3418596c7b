"""From a method and a path to the endpoint that answers it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django_stream.protocol.errors import ApiError
from django_stream.protocol.texts import is_text
from django_stream.server.requests import Endpoint, Parameters

# `{feed}` is a feed's two segments, `{item...}` may hold slashes, any other name is one segment.
_PLACEHOLDER = re.compile(r"\{(?P<name>\w+)(?P<rest>\.\.\.)?\}")
_FIRST = re.compile(r"/*(?P<enriched>enrich/+)?(?P<word>[^/]*)")


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint found, with what its pattern captured."""

    endpoint: Endpoint
    captures: Mapping[str, str]
    enriched: bool


Routes = Mapping[str, Sequence[tuple[re.Pattern[str], Endpoint]]]
"""Compiled rows of the table of endpoints by the first segment of their path, in the order of the table."""


def find_route(routes: Routes, method: str, path: str, parameters: Parameters) -> Route:
    """The first row that answers this method and path; refusals are 404 and 405.

    A slash at the end is optional, and doubled slashes count as one, but for those inside of data: what a
    `{name...}` stands for is taken as it is.
    """
    if not is_text(path):
        raise ApiError.named("InputException", "the path holds a null character, or half of one")
    first = _FIRST.match(path)
    assert first is not None
    enriched, wanted = first["enriched"] is not None, path[first.start("word") :]
    # HEAD is a GET whose body nobody reads.
    method = "GET" if method == "HEAD" else method
    allowed = set()
    for pattern, endpoint in routes.get(first["word"], ()):
        match = pattern.fullmatch(wanted)
        if match is None or (enriched and not endpoint.enrichable):
            continue
        if endpoint.unless and parameters.flag(endpoint.unless):
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
        routes.setdefault(endpoint.pattern.partition("/")[0], []).append((_compiled(endpoint), endpoint))
    return routes


def _compiled(endpoint: Endpoint) -> re.Pattern[str]:
    """The slash at the end belongs to the path, but for a `{name...}` that is nothing else."""
    text = "/+".join(endpoint.pattern.strip("/").split("/"))
    if text.endswith("...}"):
        # What stands before the data is one slash: another one is theirs.
        before, _, last = text.rpartition("/+")
        text = f"{before}/{last}"
        return re.compile(_PLACEHOLDER.sub(_expression, text) + "/?", re.DOTALL)
    return re.compile(_PLACEHOLDER.sub(_expression, text) + "/*", re.DOTALL)


def _expression(placeholder: re.Match[str]) -> str:
    if placeholder["name"] == "feed":
        return "(?P<slug>[^/]+)/+(?P<user_id>[^/]+)"
    return f"(?P<{placeholder['name']}>{'.+?' if placeholder['rest'] else '[^/]+'})"
