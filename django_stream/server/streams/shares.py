"""Places in one process that applications share: whoever has most makes room for whoever has fewer."""

from __future__ import annotations

from collections import defaultdict
from typing import Generic, TypeVar

Member = TypeVar("Member")


class Shares(Generic[Member]):
    """Members by application. Where places are scarce, no application has more because it came first."""

    def __init__(self) -> None:
        self._of: defaultdict[int, dict[Member, None]] = defaultdict(dict)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, application_id: int, member: Member) -> None:
        mine = self._of[application_id]
        self._count += member not in mine
        mine[member] = None

    def discard(self, application_id: int, member: Member) -> None:
        mine = self._of[application_id]
        self._count -= member in mine
        mine.pop(member, None)
        if not mine:
            del self._of[application_id]

    def has_room(self, application_id: int, most: int) -> bool:
        """Whether one more of an application fits in, if need be for one of an application that has more."""
        if self._count < most:
            return True
        return len(self._of.get(application_id, ())) + 1 < max(map(len, self._of.values()), default=0)

    def take_surplus(self, most: int) -> Member | None:
        """Take out who has to go, where there are more members than places: the newest of who has most."""
        if self._count <= most:
            return None
        application_id = max(self._of, key=lambda one: len(self._of[one]))
        member = next(reversed(self._of[application_id]))
        self.discard(application_id, member)
        return member
