"""The clauses of a filter: a field of the event, an operator and a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django_stream.protocol.errors import ApiError
from django_stream.protocol.suggestions import did_you_mean
from django_stream.server.object_types import NAMES, kind_of
from django_stream.server.streams import pointers
from django_stream.server.streams.refusals import refuse

TEXT_MAX = 512
LIST_MAX = 1000
AUTHORIZED_USERS = "$authorized_userids"
"""The users who have authorized the application: here every user has, so any name of a user is one."""

COMPARISONS = ("lt", "le", "gt", "ge")
OPERATORS = ("equals", "matches", *COMPARISONS, "one_of")
_FIELDS = frozenset({"object_type", "field", "operator", "value"})
_META = frozenset({"type", "id", "timestamp", "is_deleted", "event_id", "op"})
# Activities have fields of their own, so any name may be one.
_DATA = {
    "reaction": "id kind activity_id activity user_id user data parent target_feeds created_at updated_at",
    "follow": "source target feed_id target_id created_at updated_at",
    "user": "id data created_at updated_at",
    "collection": "id collection foreign_id data created_at updated_at",
    "feed": "feed group new deleted deleted_foreign_ids published_at",
    "notification": "feed group new deleted seen read",
    "file": "id name content_type size",
    "token": "id action",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A checked clause; equal ones are tried once, however many filters have them."""

    kind: str
    path: pointers.Path
    operator: str
    value: Any
    """A text, a whole number or a truth value; of `one_of` the tuple of its items, or AUTHORIZED_USERS."""
    exact: str
    """The value as text, since in Python True equals 1."""


def parse(given: Any, where: str) -> Clause:
    """Check a clause as a client sent it; `where` names it in refusals, such as `clauses[2]`."""
    if not isinstance(given, dict):
        raise invalid(where, "must be an object")
    if unknown := sorted(set(given) - _FIELDS):
        raise invalid(
            f"{where}.{unknown[0]}", f"is no field of a clause. {did_you_mean(unknown[0], _FIELDS)}"
        )
    kind = kind_of(given.get("object_type"))
    if kind is None:
        raise invalid(f"{where}.object_type", f"must be one of {', '.join(NAMES)}")
    operator = given.get("operator")
    if operator not in OPERATORS:
        raise invalid(f"{where}.operator", f"must be one of {', '.join(OPERATORS)}")
    path = _path(given.get("field"), kind, f"{where}.field")
    value = _CHECKS[operator](given.get("value"), f"{where}.value")
    if path == ("meta", "type"):
        value = _own_names(value)
    if path == ("meta", "is_deleted") and value is not True:
        raise invalid(f"{where}.value", "can only be true: the field is absent otherwise")
    return Clause(kind, path, operator, value, repr(value))


def _path(given: Any, kind: str, where: str) -> pointers.Path:
    if not isinstance(given, str) or len(given) > TEXT_MAX:
        raise invalid(where, f"must be a path of at most {TEXT_MAX} characters")
    try:
        path = pointers.parse(given)
    except ValueError as error:
        raise invalid(where, str(error)) from error
    known = _META if path[0] == "meta" else frozenset(_DATA.get(kind, "").split())
    # Of meta all fields are single values; a star or a further segment leads nowhere.
    impossible = path[0] == "meta" and (len(path) > 2 or path[1] not in known)
    if impossible or (known and path[1] not in known):
        raise invalid(where, f"leads nowhere in events of '{kind}', which have {', '.join(sorted(known))}")
    return path


def _scalar(value: Any, where: str) -> Any:
    if isinstance(value, str) and len(value) <= TEXT_MAX:
        return value
    if isinstance(value, int):
        return value
    raise invalid(where, f"must be a text of at most {TEXT_MAX} characters, a whole number, or true or false")


def _part(value: Any, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
        raise invalid(where, f"must be a text of 1 to {TEXT_MAX} characters")
    return value


def _number(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(where, "must be a whole number")
    return value


def _items(value: Any, where: str) -> Any:
    if value == AUTHORIZED_USERS:
        return value
    if not isinstance(value, list) or not 0 < len(value) <= LIST_MAX:
        raise invalid(where, f"must be a list of 1 to {LIST_MAX} items, or '{AUTHORIZED_USERS}'")
    return tuple(_scalar(item, f"{where}[{number}]") for number, item in enumerate(value))


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "equals": _scalar,
    "matches": _part,
    "one_of": _items,
    **dict.fromkeys(COMPARISONS, _number),
}


def _own_names(value: Any) -> Any:
    """Events are compared by our names of their types, whatever name a stream has asked for."""
    if isinstance(value, tuple):
        return tuple(kind_of(item) or item for item in value)
    return kind_of(value) or value


def invalid(where: str, problem: str) -> ApiError:
    """The refusal of a filter, with the place in it."""
    return refuse("invalid-filter", f"{where} {problem}")
