"""The inner classes by which models declare things."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from django.db import models

_Declaration = TypeVar("_Declaration")


def options_of(model: type[models.Model], inner: str) -> dict[str, Any]:
    """Options of an inner class, inherited ones included; none when there is no such class."""
    found_class = getattr(model, inner, None)
    found: dict[str, Any] = {}
    for base in reversed(found_class.__mro__ if isinstance(found_class, type) else ()):
        found |= {name: _plain(value) for name, value in vars(base).items() if not name.startswith("_")}
    return found


def read_declaration(declaration: type[_Declaration], model: type[models.Model], inner: str) -> _Declaration:
    """The options of an inner class as its dataclass; names that it does not have are left to the checks."""
    known = option_names(declaration)
    return declaration(**{name: value for name, value in options_of(model, inner).items() if name in known})


def option_names(declaration: type[Any]) -> list[str]:
    """The options that an inner class may have."""
    return [field.name for field in fields(declaration)]


def _plain(value: Any) -> Any:
    return value.__func__ if isinstance(value, staticmethod) else value
