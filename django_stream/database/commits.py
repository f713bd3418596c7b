"""What is done after a commit, and must not fail it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django.db import transaction


def call_after_commit(using: str, function: Callable[..., Any], *args: Any) -> None:
    """Call a function when the transaction has committed; what it raises is logged, and changes nothing."""
    # Django logs the failure under the callable's name, and a bare partial has none.
    transaction.on_commit(update_wrapper(partial(function, *args), function), using=using, robust=True)
