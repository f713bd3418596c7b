"""How much an enriched answer holds of what its activities refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django_stream.protocol.errors import invalid
from django_stream.server.conf import server_settings
from django_stream.server.content import encoded

Item = TypeVar("Item")

# Of an object beside its data: names, times, punctuation.
_FRAME = 200


def weight(data: Any) -> int:
    """About how many bytes an object takes that has this data: text of JSON, or what a model has read."""
    return _FRAME + len(data if isinstance(data, str) else encoded(data))


class AnswerSize:
    """Counts what is put into an answer; the same object in two places counts twice, as it is sent twice."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left: int = server_settings.ANSWER_BYTES_MAX

    def add(self, size: int) -> None:
        self._left -= size

    def counted(self, item: Item, size: int) -> Item:
        """The item, now counted."""
        self.add(size)
        return item

    @property
    def is_full(self) -> bool:
        return self._left <= 0


def until_full(size: AnswerSize, items: Iterable[Item]) -> Iterator[Item]:
    """The items, each counted while it is made, up to the one that fills the answer."""
    for item in items:
        yield item
        if size.is_full:
            return


def check_whole(count: int, wanted: int, name: str) -> None:
    """Refuse what does not fit into one answer where no page follows; `name` listed what was asked for."""
    if count < wanted:
        raise invalid(f"the answer would be too large: ask for {count} or fewer at once", name)
