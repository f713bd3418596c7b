"""What an app makes of the entries of a feed before anybody is shown them: it leaves some out, or marks them.

Pages and badges look through the same lens, so that they agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django_stream.client import Feed

Entry = Mapping[str, Any]


class Lens:
    """Leaves everything as it is. It serves one reading: a page, or a count."""

    hides_some = False
    """Whether activities that a group does not list may be left out, too."""

    def look(self, entries: Sequence[Entry]) -> Sequence[Entry | None]:
        """Each entry as the API should have answered it, and None in place of those that are left out."""
        return entries

    def keeps(self, raw: Entry, shown: Entry) -> bool:
        """Whether an entry stays, now that it is known what of it the viewer may see."""
        return True

    def is_over(self, answer: Entry) -> bool:
        """Whether nothing that comes after this answer would be shown."""
        return False

    def tell(self, seen: Iterable[str], read: Iterable[str]) -> None:
        """Note which entries, by their ids, the viewer has now seen or read; they were looked at before."""

    def tell_unread(self, ids: Iterable[str] | None) -> None:
        """Note which entries, by their ids, are unread again; None for all of the feed."""


LensMaker = Callable[[Feed, Any], Lens]
"""Takes the feed that is read and its viewer."""

_makers: list[LensMaker] = []


def install_lens(maker: LensMaker) -> None:
    """Read feeds through what this makes from now on, in place of an earlier one."""
    _makers[:] = [maker]


def lens_for(feed: Feed, viewer: Any) -> Lens:
    """The lens through which a viewer sees a feed."""
    return _makers[0](feed, viewer) if _makers else Lens()
