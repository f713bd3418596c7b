"""The one rule of what JSON may be stored, and a reader that never fails on what is.

Every database and every reader of this project's own must be able to give a value back: PostgreSQL's
jsonb takes numbers that Python's and JavaScript's readers do not, and all of them nest to some depth only.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable
from typing import Any

from django_stream.protocol import limits
from django_stream.protocol.errors import ApiError, invalid

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

logger = logging.getLogger("django_stream.server")

# A null character as JSON writes it: an escape that is not itself escaped.
_NULL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_LONG = 40
# A number that Python writes with an exponent is written with so many more digits elsewhere.
_TINY = re.compile(r"e-([0-9]+)")
VALUES_MAX = 400_000
"""So many values may be in one body: a byte of JSON can be a value, and each costs many more to read."""
# From here on Python writes floats with an exponent; all of them are whole numbers.
_EXPONENT = 1e16
# How deep Python's own reader and writer get depends on its version and on who calls them; this deep, all do.
_READ_DEPTH = 200


def storable(value: Any, name: str | None = None, depth: int = limits.JSON_DEPTH) -> Any:
    """A copy of a JSON value that can be stored and read back everywhere; 400 that says what cannot.

    Objects and lists nest up to `depth` deep, numbers lie between -2**63 and 2**63, and texts are Unicode
    without null characters. `name` is the field to blame where the value itself has none.
    """
    check_values(value, name, depth)
    try:
        return json.loads(_text(value), parse_float=_float)
    except (ValueError, TypeError) as error:
        blamed = name or _first_unfit(value)
        raise invalid(f"{blamed or 'the body'} is not JSON that can be stored: {error}", blamed) from error


def read_body(text: bytes) -> Any:
    """A body as it came: ValueError or RecursionError where it is no JSON, 413 for too many values."""
    if text.count(b",") + text.count(b"[") + text.count(b"{") > VALUES_MAX:
        raise ApiError.named("PayloadTooLargeException", f"a body may hold at most {VALUES_MAX} values")
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    text.encode()
    if _NULL.search(text):
        raise ValueError("it holds a null character")
    return text


def _float(text: str) -> int | float:
    """jsonb gives a float that is written with an exponent back as a whole number, of other digits."""
    number = float(text)
    return number if abs(number) < _EXPONENT else int(number)


def _first_unfit(value: Any) -> str | None:
    """The field of an object, or of an object in a list, that cannot be stored; None for other values."""
    for one in value if isinstance(value, list) else [value]:
        for field, inner in one.items() if isinstance(one, dict) else ():
            try:
                _text({field: inner})
            except (ValueError, TypeError):
                return str(field)
    return None


def check_values(value: Any, name: str | None = None, depth: int = limits.JSON_DEPTH) -> None:
    """Refuse what is nested too deep, and numbers that are too large.

    It walks down level by level: recursion would meet Python's limit before ours.
    """
    level = [(name, value)]
    for _ in range(depth + 1):
        below: list[tuple[str | None, Any]] = []
        for field, one in level:
            if isinstance(one, dict):
                below += [(field or str(key), inner) for key, inner in one.items()]
            elif isinstance(one, list | tuple):
                below += [(field, inner) for inner in one]
            else:
                _check_number(one, field)
        if not below:
            return
        level = below
    raise invalid(f"objects and lists may be nested at most {depth} deep", level[0][0])


def _check_number(value: Any, name: str | None) -> None:
    """jsonb would give a larger one back as a whole number with all its digits, which is another value."""
    if isinstance(value, int | float) and not -(2**63) <= value < 2**63:
        raise invalid(f"numbers must be within 64 bits, and one in {name or 'the body'} is not", name)


def size_of(value: Any) -> int:
    """The bytes of a JSON value that was checked, as the database that takes most for it writes them.

    jsonb has all digits of a tiny number: 5e-324 comes back in 326 letters.
    """
    text = json.dumps(value, ensure_ascii=False)
    return len(text.encode()) + (_digits_beside(value) if _TINY.search(text) else 0)


def _digits_beside(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_digits_beside, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_digits_beside, value))
    tiny = _TINY.search(repr(value)) if isinstance(value, float) else None
    return int(tiny[1]) if tiny else 0


def read_stored(text: str) -> Any:
    """What a JSON column holds. What no reader can read is logged and read as an empty object."""
    for read in (_fast, _by_json):
        try:
            value = read(text)
        except (ValueError, RecursionError):
            continue
        if not _may_be_deep(text) or not _is_deeper(value, _READ_DEPTH):
            return value
    logger.error("a stored JSON value cannot be read: %.80r", text)
    return {}


def _may_be_deep(text: str) -> bool:
    """Length and brackets say of nearly every value, without a walk through it, that it is not that deep."""
    return len(text) > _READ_DEPTH and text.count("[") + text.count("{") > _READ_DEPTH


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        containers = [one for one in level if isinstance(one, dict | list)]
        level = [
            one for inner in containers for one in (inner.values() if isinstance(inner, dict) else inner)
        ]
        if not level:
            return False
    return True


def _whole(digits: str) -> int | float | None:
    """As the quick library reads it: beyond 64 bits, which are refused by now, a float."""
    if len(digits) < _LONG and -(2**63) <= (number := int(digits)) < 2**64:
        return number
    return _finite(digits)


def _finite(digits: str) -> float | None:
    """No JSON can tell what is beyond floats."""
    return number if math.isfinite(number := float(digits)) else None


def _by_json(text: str) -> Any:
    return json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=lambda _: None)


_fast: Callable[[str], Any] = _by_json if orjson is None else orjson.loads


def encoded(body: Any) -> bytes:
    """An answer as JSON text, by the quick library where it is installed."""
    if orjson is not None:
        try:
            return orjson.dumps(body)
        except TypeError:  # whole numbers beyond 64 bits, stored before they were refused
            pass
    return json.dumps(body, separators=(",", ":")).encode()
