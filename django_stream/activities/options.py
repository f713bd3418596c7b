"""The inner classes by which models declare things."""

from __future__ import annotations

from typing import Any

from django.db import models


def options_of(model: type[models.Model], inner: str) -> dict[str, Any]:
    """Options of an inner class, inherited ones included; none when there is no such class."""
    found_class = getattr(model, inner, None)
    found: dict[str, Any] = {}
    for base in reversed(found_class.__mro__ if isinstance(found_class, type) else ()):
        found |= {name: _plain(value) for name, value in vars(base).items() if not name.startswith("_")}
    return found


def _plain(value: Any) -> Any:
    return value.__func__ if isinstance(value, staticmethod) else value
