"""System checks that are imported when checks run: a process that only serves never needs their modules."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core import checks
from django.utils.module_loading import import_string


def register_late(path: str, *tags: str, deploy: bool = False) -> None:
    """Register a check by its dotted path; registered twice, it runs once."""
    checks.register(_imported_late(path), *tags, deploy=deploy)


@cache
def _imported_late(path: str) -> Any:
    def check(**given: Any) -> Any:
        return import_string(path)(**given)

    check.__name__ = check.__qualname__ = path
    return check
