"""How an owner looks at a notification feed: dismissed ones are gone, and what was told is not new again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import models, router, transaction
from django.utils import timezone

from django_stream.client import Feed
from django_stream.conf import stream_settings
from django_stream.feeds.lenses import Lens
from django_stream.feeds.manager import feed_manager
from django_stream.notifications.entries import EVERYTHING, Entry, key_of, key_of_deed, newest, updated_at
from django_stream.notifications.models import Dismissal, Preference, Told
from django_stream.protocol.wire import is_group, members

# A repetition that nobody looked at is still told from a new thing for so long.
_KEPT = timedelta(days=30)


def lens_for(feed: Feed, viewer: Any) -> Lens:
    """Of one's own notifications; all other feeds are seen as they are."""
    if feed.slug != feed_manager.notification_feed or viewer.pk is None:
        return Lens()
    return NotificationLens(viewer) if feed.id == feed_manager.get_notification_feed(viewer).id else Lens()


class NotificationLens(Lens):
    """Two queries for what was dismissed and what is not wanted, and one where something is new."""

    channel = "in_feed"
    """The field of Preference that says whether a verb is wanted here."""

    def __init__(self, user: Any) -> None:
        self._user = user
        self._looked: dict[str, Entry] = {}
        self._all: Dismissal | None = None
        self._joined: dict[str, list[Dismissal]] = {}
        """By entry: the dismissals of a group that something has joined since."""

    @cached_property
    def _unwanted(self) -> frozenset[str]:
        rows = Preference.objects.filter(user=self._user.pk, **{self.channel: False})
        return frozenset(rows.values_list("verb", flat=True))

    @property
    def hides_some(self) -> bool:  # type: ignore[override]
        return bool(self._unwanted)

    def look(self, entries: Sequence[Entry]) -> Sequence[Entry | None]:
        if not entries:
            return entries
        self._looked |= {entry["id"]: entry for entry in entries}
        left = [self._wanted(entry) for entry in self._not_dismissed(entries)]
        told = self._told([entry for entry in left if entry is not None and _waits(entry)])
        return [entry and _as_told(entry, told) for entry in left]

    def keeps(self, raw: Entry, shown: Entry) -> bool:
        # Who joined and cannot be shown brings nothing back: of those who can, nobody is new.
        rows = self._joined.get(raw["id"], ())
        is_less = len(members(shown)) < len(members(raw))
        return not (is_less and any(newest(shown) <= row.newest for row in rows))

    def is_over(self, answer: Entry) -> bool:
        # What arrived late and is older than the dismissal of all others is unread, or was shown before.
        last = answer["results"][-1:]
        dismissed = self._all is not None and all(newest(entry) <= self._all.newest for entry in last)
        return dismissed and answer.get("unread") == 0

    def tell(self, seen: Iterable[str], read: Iterable[str]) -> None:
        keys_read = self._deeds_waiting(read, "is_read")
        keys = self._deeds_waiting(seen, "is_seen") | keys_read
        if keys:
            self._write_told(keys, {"was_seen": keys, "was_read": keys_read})

    def tell_unread(self, ids: Iterable[str] | None) -> None:
        rows = Told.objects.filter(user=self._user.pk)
        if ids is not None:
            entries = [entry for one in ids if (entry := self._looked.get(one)) is not None]
            rows = rows.filter(key__in={key for entry in entries for key in _deeds(entry)})
        rows.update(was_read=False)

    def tell_by_email(self, ids: Iterable[str]) -> None:
        """Note that an e-mail has told of these entries, which marks nothing as seen."""
        if keys := self._deeds_waiting(ids, "is_seen"):
            self._write_told(keys, {})

    def _deeds_waiting(self, ids: Iterable[str], mark: str) -> set[str]:
        waiting = (entry for one in ids if (entry := self._looked[one]).get(mark) is False)
        return {key for entry in waiting for key in _deeds(entry)}

    def _not_dismissed(self, entries: Sequence[Entry]) -> list[Entry | None]:
        keys = [key_of(entry) for entry in entries]
        found = {
            row.key: row for row in Dismissal.objects.filter(user=self._user.pk, key__in=[*keys, EVERYTHING])
        }
        self._all = found.get(EVERYTHING)
        rows = [[found[one] for one in (key, EVERYTHING) if one in found] for key in keys]
        self._joined |= {entry["id"]: some for entry, some in zip(entries, rows, strict=True) if some}
        return [
            None if any(_covers(row, entry) for row in some) else entry
            for entry, some in zip(entries, rows, strict=True)
        ]

    def _wanted(self, entry: Entry | None) -> Entry | None:
        if entry is None or not self._unwanted:
            return entry
        if not is_group(entry):
            return None if entry["verb"] in self._unwanted else entry
        left = [one for one in entry["activities"] if one["verb"] not in self._unwanted]
        return {**entry, "activities": left} if left else None

    def _told(self, entries: Sequence[Entry]) -> dict[str, bool]:
        """What happens again, or was told of by e-mail, within the time for that: whether it was read."""
        times = {key_of_deed(one): one["time"] for entry in entries for one in members(entry)}
        if not times:
            return {}
        rows = self._told_rows().filter(key__in=list(times))
        found = rows.values_list("key", "told_at", "was_read")
        return {key: read for key, told_at, read in found if times[key] < told_at + _window()}

    def _told_rows(self) -> models.QuerySet[Told]:
        """Those that count where this looks."""
        return Told.objects.filter(user=self._user.pk, was_seen=True)

    def _write_told(self, keys: set[str], flags: Mapping[str, set[str]]) -> None:
        now, rows = timezone.now(), Told.objects.filter(user=self._user.pk)
        with transaction.atomic(using=router.db_for_write(Told)):
            # Sites that send no e-mails never call forget_told.
            old = models.Q(key__in=keys) | models.Q(told_at__lte=now - _window() - _KEPT)
            rows.filter(old, told_at__lte=now - _window()).delete()
            # Sorted: of two pages at once, both lock the rows in the same order.
            Told.objects.bulk_create(
                [Told(user_id=self._user.pk, key=key, told_at=now) for key in sorted(keys)],
                ignore_conflicts=True,
            )
            for name, some in flags.items():
                if some:
                    rows.filter(key__in=some).exclude(**{name: True}).update(**{name: True})


class EmailLens(NotificationLens):
    """The same for e-mails."""

    channel = "by_email"

    def _told_rows(self) -> models.QuerySet[Told]:
        return Told.objects.filter(user=self._user.pk)


def forget_told(now: datetime) -> int:
    """Delete what is of no use any more; returns how many rows that were."""
    return Told.objects.filter(told_at__lte=now - _window() - _KEPT).delete()[0]


def _window() -> timedelta:
    return timedelta(seconds=stream_settings.NOTIFICATIONS_REPEAT_SECONDS)


def _waits(entry: Entry) -> bool:
    """Whether an entry has not been seen or read, as far as its feed has marks for that."""
    return any(entry.get(name) is False for name in ("is_seen", "is_read"))


def _as_told(entry: Entry, told: Mapping[str, bool]) -> Entry:
    """An entry with the marks that it would have if nothing in it had been done again."""
    deeds = _deeds(entry)
    if not _waits(entry) or any(key not in told for key in deeds):
        return entry
    is_read = entry["is_read"] or all(told[key] for key in deeds)
    return {**entry, "is_seen": True, "is_read": is_read}


def _deeds(entry: Entry) -> list[str]:
    return [key_of_deed(one) for one in members(entry)]


def _covers(row: Dismissal, entry: Entry) -> bool:
    return updated_at(entry) <= row.updated_at and newest(entry) <= row.newest
