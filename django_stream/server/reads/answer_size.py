"""How much an enriched answer holds of what its activities refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django_stream.protocol.errors import invalid
from django_stream.server.conf import server_settings
from django_stream.server.content import encoded

Item = TypeVar("Item")
Source = TypeVar("Source")

# Of an object beside its data: names, times, punctuation.
_FRAME = 200
# An empty object has two letters, and takes more than so many bytes until the answer is written.
_CONTAINER = 32


def weight(data: Any) -> int:
    """About how many bytes an object takes that has this data: text of JSON, or what a model has read."""
    text = data if isinstance(data, str) else encoded(data).decode()
    return _FRAME + len(text) + _CONTAINER * (text.count("{") + text.count("["))


class TooMuchAtOnce(Exception):
    """What an answer refers to is too much to be loaded together."""


class AnswerSize:
    """Counts what is put into an answer; the same object in two places counts twice, as it is sent twice."""

    __slots__ = ("_left", "_most")

    def __init__(self) -> None:
        self._left = self._most = int(server_settings.ANSWER_BYTES_MAX)

    def add(self, size: int) -> None:
        self._left -= size

    @property
    def is_full(self) -> bool:
        return self._left <= 0

    @property
    def is_overfull(self) -> bool:
        """Whether a single item has made it twice as large as it may be."""
        return self._left <= -self._most


def until_full(size: AnswerSize, items: Iterable[Item]) -> Iterator[Item]:
    """The items, each counted while it is made, up to the one that fills the answer."""
    for item in items:
        yield item
        if size.is_full:
            return


def in_parts(
    items: Sequence[Source], size: AnswerSize, shaped: Callable[[Sequence[Source]], Iterable[Item]]
) -> list[Item]:
    """What `shaped` makes of the items, up to the one that fills the answer.

    Where it says of several that they are TooMuchAtOnce, it is given fewer.
    """
    found: list[Item] = []
    waiting = [items]
    while waiting and not size.is_full:
        part = waiting.pop()
        try:
            found += until_full(size, shaped(part))
        except TooMuchAtOnce:
            middle = len(part) // 2
            waiting += [part[middle:], part[:middle]]
    return found


def check_whole(count: int, wanted: int, name: str) -> None:
    """Refuse what does not fit into one answer where no page follows; `name` listed what was asked for."""
    if count < wanted:
        raise invalid(f"the answer would be too large: ask for {count} or fewer at once", name)
