"""One call under way: the request, parsed, with the caller and the endpoint that answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from django_stream.protocol import scopes
from django_stream.protocol.errors import invalid
from django_stream.protocol.feed_ids import FeedID, validate_feed_slug, validate_user_id
from django_stream.protocol.messages import ApiRequest, Query, Upload
from django_stream.protocol.texts import is_text
from django_stream.server.auth.principals import Principal
from django_stream.server.content import storable
from django_stream.server.feed_store import within_length

API_PATH = "/api/v1.0/"
"""Where the API is, on the wire and in the addresses that it answers with."""

_TRUE = frozenset({"true", "1", "t", "yes"})
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.[0-9]{0,9})?", re.ASCII)
# What databases take for a number of rows.
_MOST = 2**63 - 1
_FALSE = frozenset({"false", "0", "f", "no", ""})


class Parameters:
    """The query of a request. Methods take all the names that clients use for one parameter."""

    def __init__(self, query: Query) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in query.items():
            texts = [value] if isinstance(value, str) else [str(one) for one in value]
            if not all(map(is_text, texts)):
                raise invalid(f"{name} holds a null character, or half of one", name)
            self._values.setdefault(name.removesuffix("[]"), []).extend(texts)

    def text(self, *names: str) -> str:
        """The first of these parameters that is given, or an empty string."""
        for name in names:
            if self._values.get(name):
                return self._values[name][-1]
        return ""

    def texts(self, name: str) -> list[str]:
        """Every value of a parameter."""
        return self._values.get(name, [])

    def given(self, *names: str) -> bool:
        """Whether one of these parameters is in the query."""
        return any(name in self._values for name in names)

    def flag(self, *names: str) -> bool:
        """A parameter that is true or false; false when it is absent."""
        value = self.text(*names).strip().lower()
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise invalid(f"{names[0]} must be true or false, not {value!r}", names[0])

    def says_no(self, name: str) -> bool:
        """Whether a parameter is one of the words for false; without any text it is not."""
        value = self.text(name).strip().lower()
        return value != "" and value in _FALSE

    def real_number(self, name: str) -> float | None:
        """A number with or without a fraction; None when the parameter is absent."""
        text = self.text(name).strip()
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            raise invalid(f"{name} must be a number, not {text[:40]!r}", name)
        return float(text)

    def number(self, name: str, default: int, *, least: int = 0, most: int = _MOST) -> int:
        """A whole number within bounds, both of them allowed."""
        text = self.text(name).strip()
        if not text:
            return default
        if not _WHOLE_NUMBER.fullmatch(text):
            raise invalid(f"{name} must be a whole number, not {text[:40]!r}", name)
        if not least <= (value := int(text)) <= most:
            bounds = f"at least {least}" if value < least else f"between {least} and {most}"
            raise invalid(f"{name} must be {bounds}, not {value}", name)
        return value

    def listed(self, *names: str) -> list[str]:
        """A list: comma-joined, repeated or both; blanks are trimmed and empty items dropped."""
        joined = [value for name in names for value in self._values.get(name, [])]
        return [item for value in joined for part in value.split(",") if (item := part.strip())]

    def names(self, *names: str) -> list[str]:
        """A list of ids or kinds, which may have blanks around them: each as it is, and trimmed."""
        parts = [part for name in names for value in self.texts(name) for part in value.split(",")]
        return [one for one in dict.fromkeys(one for part in parts for one in (part, part.strip())) if one]

    def so_many(self, name: str, number: int) -> list[str]:
        """A list of texts that may hold commas: of several values that are so many, each is one text."""
        values = self._values.get(name, [])
        return values if len(values) == number > 1 else self.listed(name)

    def json_object(self, *names: str) -> dict[str, Any]:
        """A JSON object; an empty one when the parameter is absent."""
        text = self.text(*names)
        if not text:
            return {}
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise invalid(f"{names[0]} is not JSON", names[0]) from error
        if not isinstance(value, dict):
            raise invalid(f"{names[0]} must be a JSON object", names[0])
        return dict(storable(value, names[0]))

    def items(self) -> list[tuple[str, str]]:
        """All parameters, repeated ones several times."""
        return [(name, value) for name, values in self._values.items() for value in values]


@dataclass(frozen=True, slots=True)
class Call:
    """What an endpoint's function receives."""

    request: ApiRequest
    endpoint: Endpoint
    principal: Principal
    captures: Mapping[str, str]
    parameters: Parameters
    enriched: bool = False
    """The path began with `enrich/`."""
    body: Any = field(default=None, repr=False)

    @property
    def application_id(self) -> int:
        return self.principal.application_id

    @property
    def origin(self) -> str:
        """Scheme and host that the request came to; empty inside the process."""
        return self.request.headers.get("Origin", "")

    @property
    def upload(self) -> Upload | None:
        return self.request.upload

    @property
    def feed_id(self) -> FeedID:
        """The feed in the path."""
        try:
            slug = validate_feed_slug(self.captures["slug"])
            feed = FeedID(slug, validate_user_id(self.captures["user_id"]))
        except ValueError as error:
            raise invalid(str(error), "feed") from error
        return within_length(feed, "feed")

    def fields(self) -> dict[str, Any]:
        """The body as an object; an absent body is an empty one."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise invalid("the body must be a JSON object")
        return self.body

    def following(self, place: Mapping[str, str], without: Collection[str]) -> str:
        """The address of another page, to be followed as it is: this call at another place.

        `without` names the parameters that say where this page is, or what was done once.
        """
        carried = [
            (name, value)
            for name, value in self.parameters.items()
            if name not in place and name not in without and name != "api_key"
        ]
        path = quote(self.request.path.lstrip("/").removesuffix("/"), safe="/:@!$&'()*+,;=~")
        query = [("api_key", self.request.api_key), *place.items(), *carried]
        return f"{API_PATH}{path}/?{urlencode(query)}"


Body = Mapping[str, Any]
"""What an endpoint answers: an object of `protocol.wire`, or several by name."""
Policy = Callable[[Call], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row of the table: how a method and path are answered.

    `users` is what a user token may do here; None keeps the endpoint for server tokens.
    `unless` names a parameter that, when it is true, makes the call another endpoint's.
    `family` names the rate limit, and `status` is that of success.
    """

    method: str
    pattern: str
    resource: str
    function: Callable[[Call], Body]
    family: str
    users: Policy | None = None
    status: int = 200
    enrichable: bool = False
    unless: str = ""

    @property
    def action(self) -> str:
        return scopes.action_of(self.method)


def batch(body: Any, name: str, most: int) -> Sequence[Any]:
    """A list inside a body, within its limit."""
    items = body if isinstance(body, list) else None
    if items is None:
        raise invalid(f"{name} must be a list", name)
    if len(items) > most:
        raise invalid(f"{name} may hold at most {most} items, not {len(items)}", name)
    return items
