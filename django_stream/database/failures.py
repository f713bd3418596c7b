"""Which failures of code that reads one row concern more than that row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connections

_Value = TypeVar("_Value")
_Other = TypeVar("_Other")


def spoils_the_rest(error: Exception) -> bool:
    """Whether what failed for one row fails for the others too.

    The database is out of reach, or the transaction is spoiled in which the failed statement ran. A page
    without its rows would look as if there were none.
    """
    if any(one.in_atomic_block for one in connections.all(initialized_only=True)):
        return isinstance(error, (DatabaseError, InterfaceError))
    return isinstance(error, (OperationalError, InterfaceError))


def or_else(
    other: _Other, read: Callable[[], _Value], logger: logging.Logger, message: str, *args: object
) -> _Value | _Other:
    """What code of one row tells; where it fails for this row alone, that is logged, and the other value."""
    try:
        return read()
    except Exception as error:  # whatever the models' own code may raise
        if spoils_the_rest(error):
            raise
        logger.exception(message, *args)
        return other
