"""From a method and a path to the endpoint that answers it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

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


def find_route(method: str, path: str) -> Route:
    """Trailing slashes are optional and doubled ones tolerated; refusals are 404 and 405."""
    if "\0" in path:
        raise ApiError.named("InputException", "the path holds a null character")
    plain = _SLASHES.sub("/", path).strip("/")
    enriched = plain.startswith("enrich/")
    wanted = plain.removeprefix("enrich/") if enriched else plain
    allowed = set()
    for pattern, endpoint in _by_first_segment().get(wanted.partition("/")[0], ()):
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


@cache
def _by_first_segment() -> Mapping[str, list[tuple[re.Pattern[str], Endpoint]]]:
    from django_stream.server.endpoints import ENDPOINTS  # the table imports every view

    return compiled(ENDPOINTS)


def compiled(endpoints: Iterable[Endpoint]) -> dict[str, list[tuple[re.Pattern[str], Endpoint]]]:
    """The table, keyed by the first segment of the path."""
    table: dict[str, list[tuple[re.Pattern[str], Endpoint]]] = {}
    for endpoint in endpoints:
        pattern = re.compile(_PLACEHOLDER.sub(_expression, endpoint.pattern.strip("/")), re.DOTALL)
        table.setdefault(endpoint.pattern.partition("/")[0], []).append((pattern, endpoint))
    return table


def _expression(placeholder: re.Match[str]) -> str:
    if placeholder["name"] == "feed":
        return "(?P<slug>[^/]+)/(?P<user_id>[^/]+)"
    return f"(?P<{placeholder['name']}>{'.+' if placeholder['rest'] else '[^/]+'})"
