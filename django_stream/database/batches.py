"""Many values, so many at a time: `itertools.batched`, which Python has from 3.12 on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Value = TypeVar("Value")


def batched(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    """The values in their order, in lists of `size`; the last one may be shorter."""
    remaining = iter(values)
    while batch := [*islice(remaining, size)]:
        yield batch
