"""Pages of a feed, enriched: full pages even where rows are gone, and a cursor to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404

from django_stream.backends import EMBEDDED
from django_stream.client import Feed
from django_stream.client.exceptions import InternalException, StreamApiException
from django_stream.conf import stream_settings
from django_stream.database.pending_migrations import remedy
from django_stream.feeds import tending
from django_stream.feeds.badges import MARKS, shown_counts
from django_stream.feeds.enrichment import DEFAULT_FIELDS, Enrich, EnrichedActivity
from django_stream.feeds.event_loop import refuse_event_loop
from django_stream.feeds.filters import with_filters
from django_stream.feeds.lenses import Lens, LensMaker, lens_for
from django_stream.feeds.selection import Selection
from django_stream.protocol import limits
from django_stream.protocol.suggestions import did_you_mean
from django_stream.protocol.wire import members

# What a client's feed takes, apart from what passes through to servers as it is.
_OPTIONS = frozenset(signature(Feed.get).parameters) - {"self", "params", "limit", "id_lt"} | {
    "cursor",
    "limit",
}
# The places that a `next` names. The rest of it repeats what the first page was asked.
_PLACE = ("id_lt", "offset", "session")

# What is hidden or gone is made up for by reading on, but only so many times in a request.
_MAX_ROUNDS = 5
_AHEAD = 4
# Entries that wait to be seen are mostly at the top of a feed.
_TOP = 25


class BadCursor(Http404):
    """This feed never gave out such a cursor. A view that lets it pass answers 404."""


@dataclass(frozen=True, slots=True)
class Page:
    """Enriched activities (or groups), newest first; `next` is the cursor of the following page or None."""

    activities: list[EnrichedActivity]
    next: str | None
    unseen: int | None = None
    unread: int | None = None
    feed_id: str | None = None
    """The feed that it is a page of."""

    def __iter__(self) -> Iterator[EnrichedActivity]:
        return iter(self.activities)

    def __len__(self) -> int:
        return len(self.activities)

    def __getitem__(self, index: int) -> EnrichedActivity:
        return self.activities[index]


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Reads one feed in enriched pages; `fields` are the keys whose references become instances.

    Its pages show what `viewer` may see: a user, or None for a visitor who is not signed in.
    """

    feed: Feed
    fields: Sequence[str] = DEFAULT_FIELDS
    viewer: Any = None
    with_muted: bool = False
    """Whether those whom the viewer has muted are shown all the same."""
    through: LensMaker = lens_for
    """What apps leave out of this feed, or mark."""

    def seen_by(self, viewer: Any) -> FeedReader:
        """The same feed for another viewer."""
        return replace(self, viewer=viewer)

    def page(self, limit: int = 25, cursor: str | None = None, **options: Any) -> Page:
        """Read up to `limit` (1 to 100) activities or groups, from `cursor` on.

        `cursor` is the `next` of the page before, to be read with the same options. Options go to the API,
        such as `mark_seen=True` or `ranking="…"`. Raises TypeError for an unknown option, ValueError for a
        wrong limit, BadCursor for a cursor of another feed, MissingObject where the settings say so, and the
        client's exceptions when the backend fails.
        """
        _check(limit, cursor, options)
        options, is_wanted = with_filters(options)
        selection = self._selection()
        kept: list[EnrichedActivity] = []
        counts: dict[str, int] | None = None
        place = cursor
        for _ in range(_MAX_ROUNDS):
            need = limit - len(kept)
            # Where much is hidden, more is read at once than is missing, and what is too much left for later.
            asked = need if counts is None else min(need * _AHEAD, limits.PAGE_MAX)
            answer = self._read(asked, place, options)
            chosen = selection.choose(answer["results"])
            if counts is None:
                counts = self._counts(answer, chosen, selection, cursor, options)
            if is_wanted is not None:
                pairs = zip(chosen, answer["results"], strict=True)
                chosen = [entry if is_wanted(raw) else None for entry, raw in pairs]
            used = _entries_used(chosen, need)
            kept += [entry for entry in chosen[:used] if entry is not None]
            place = _cursor_after(answer, used, place, options.get("order"))
            if used == len(chosen) and selection.lens.is_over(answer):
                place = None
            if len(kept) == limit or place is None:
                break
        if len(kept) < _TOP and options.get("mark_unread"):
            selection.lens.look(self._read(_TOP, None, {})["results"])  # they need not be on this page
        _tell(selection.lens, kept, options)
        return Page(kept, place, **(counts or {}), feed_id=str(self.feed.id))

    async def apage(self, limit: int = 25, cursor: str | None = None, **options: Any) -> Page:
        """`page` for asynchronous views."""
        return await sync_to_async(self.page)(limit, cursor, **options)

    def mark(
        self,
        *,
        seen: bool | Sequence[str] = False,
        read: bool | Sequence[str] = False,
        unread: bool | Sequence[str] = False,
    ) -> None:
        """Mark entries of a notification feed as seen, read or unread again: True for all, or their ids."""
        given = {"mark_seen": seen, "mark_read": read, "mark_unread": unread}
        if marks := {name: value for name, value in given.items() if value}:
            lens = self._selection().lens
            answer = self._read(1 if type(lens) is Lens else _TOP, None, marks)
            lens.look(answer["results"])
            _tell(lens, answer["results"], marks)

    async def amark(self, **marks: bool | Sequence[str]) -> None:
        """`mark` for asynchronous views."""
        await sync_to_async(self.mark)(**marks)

    def unread_activities(self, limit: int = 25) -> list[EnrichedActivity]:
        """The newest activities of groups that were not read, one by one and not in groups.

        They are looked for among the newest five hundred groups.
        """
        selection = self._selection()
        unread: list[EnrichedActivity] = []
        cursor: str | None = None
        met = 0
        for _ in range(_MAX_ROUNDS):
            answer = self._read(limits.PAGE_MAX, cursor, {})
            chosen = selection.choose(answer["results"])
            shown = [group for group in chosen if group is not None and not group["is_read"]]
            unread += [one for group in shown for one in members(group)]
            met += sum(not group["is_read"] for group in answer["results"])
            cursor = _cursor_of(answer["next"])
            if len(unread) >= limit or cursor is None or met >= answer["unread"]:
                break
        return sorted(unread, key=lambda one: one["time"], reverse=True)[:limit]

    def size(self, most: int = 10_000) -> int:
        """How many entries the feed has, counted up to `most`; entries that a page would hide count, too."""
        return tending.size(self.feed, most)

    def trim(self, keep: int) -> int:
        """Take all but the newest entries off this feed; how many activities that were.

        From the feed that an activity was added to it goes everywhere.
        """
        return tending.trim(self.feed, keep)

    def clear(self) -> int:
        """Take everything off this feed; how many activities that were."""
        return tending.trim(self.feed, 0)

    def unseen(self) -> int:
        """How many entries of a notification feed were never looked at; KeyError for other feeds."""
        return self._waiting("unseen")["unseen"]

    async def aunseen(self) -> int:
        """`unseen` for asynchronous views."""
        return await sync_to_async(self.unseen)()

    def counts(self) -> Mapping[str, int | None]:
        """How many entries of a notification feed wait to be seen, and to be read: as its page says it.

        `{"unseen": 2, "unread": 5}`; None for both on feeds of other kinds.
        """
        try:
            return self._waiting(*MARKS)
        except KeyError:
            return dict.fromkeys(MARKS)

    async def acounts(self) -> Mapping[str, int | None]:
        """`counts` for asynchronous views."""
        return await sync_to_async(self.counts)()

    def _waiting(self, *names: str) -> dict[str, int]:
        answer = self._read(1, None, {})
        most = max(answer[name] for name in names)
        if most > 1:
            # Those that wait are at the top, as a rule: one read has them all.
            answer = self._read(min(most, limits.PAGE_MAX), None, {})
        waiting = {name: answer[name] for name in ("results", "next", *names)}
        return shown_counts(waiting, None, self._selection(), self._read_on)

    def _selection(self) -> Selection:
        enrich = Enrich(self.fields, viewer=self.viewer, with_muted=self.with_muted)
        return Selection(self.feed.client, enrich, self.through(self.feed, enrich.viewer))

    def _counts(
        self,
        answer: dict[str, Any],
        chosen: Sequence[EnrichedActivity | None] | None,
        selection: Selection,
        cursor: str | None,
        options: Mapping[str, Any],
    ) -> dict[str, int]:
        """The counts of a notification feed, which are of the whole feed on every page of it."""
        counts = {name: answer[name] for name in MARKS if name in answer}
        if not any(counts.values()):
            return counts
        if any(value for name, value in options.items() if name.startswith("mark_")):
            # Read further, entries would seem to be seen: those that this page marks count no more anyhow.
            return shown_counts({**answer, "next": ""}, chosen, selection, self._read_on)
        if cursor:
            answer, chosen = self._read(_TOP, None, {}), None
        return shown_counts(answer, chosen, selection, self._read_on)

    def _read_on(self, next_url: str, limit: int) -> dict[str, Any]:
        return self._read(limit, _cursor_of(next_url), {})

    def _read(self, limit: int, cursor: str | None, options: dict[str, Any]) -> dict[str, Any]:
        refuse_event_loop("reading a feed", "….apage()")
        try:
            return dict(self.feed.get(limit=limit, **{**options, **_after(cursor)}))
        except ValueError as error:
            if cursor and "offset" in cursor:
                raise BadCursor(f"{cursor!r} is no place in {self.feed.id}") from error
            raise
        except StreamApiException as error:
            if cursor and error.status_code == 400:
                raise BadCursor(f"{cursor!r} is no place in {self.feed.id}") from error
            if isinstance(error, InternalException):
                _tell_of_missing_tables(error)
            raise


def _check(limit: object, cursor: object, options: Mapping[str, Any]) -> None:
    """Refuse what comes straight from a query string, or would contradict the cursor."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= limits.PAGE_MAX:
        hint = ": turn text into a number first, by int()" if isinstance(limit, str) else ""
        raise ValueError(f"limit must be a number from 1 to {limits.PAGE_MAX}, not {limit!r}{hint}")
    if not isinstance(cursor, str | None):
        raise ValueError(f"cursor must be the `next` of the page before, or None, not {cursor!r}")
    if "id_lt" in options:
        raise ValueError("a page begins at its cursor: give cursor= and not id_lt=")
    for name in options.keys() - _OPTIONS:
        raise TypeError(f"page() has no option {name!r}. {did_you_mean(name, sorted(_OPTIONS))}")


def _tell(lens: Lens, entries: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> None:
    """Tell the lens which entries are marked by reading them with these options."""
    seen, read = (
        [entry["id"] for entry in entries if mark is True or (mark and entry["id"] in mark)]
        for mark in (options.get("mark_seen"), options.get("mark_read"))
    )
    if seen or read:
        lens.tell(seen, read)
    if unread := options.get("mark_unread"):
        lens.tell_unread(None if unread is True else unread)


def _tell_of_missing_tables(error: InternalException) -> None:
    """While developing, tell who forgot to run `migrate`."""
    if settings.DEBUG and stream_settings.BACKEND == EMBEDDED and (commands := remedy()):
        raise ImproperlyConfigured(
            f"the feeds cannot be read, since the database is behind the models: run `{commands}`"
        ) from error


def _after(cursor: str | None) -> dict[str, Any]:
    """What to ask for: an id alone, or several parameters as in a query."""
    if not cursor:
        return {}
    if cursor.startswith("id_gt="):
        return {"id_gt": cursor.removeprefix("id_gt=")}
    # Ids of groups may hold whatever an activity does, but they begin with an activity's id.
    if not cursor.startswith(tuple(f"{name}=" for name in _PLACE)):
        return {"id_lt": cursor}
    # Cursors come from addresses that anybody may change: a place is all that they can name.
    place: dict[str, Any] = {name: value for name, value in parse_qsl(cursor) if name in _PLACE}
    if "offset" in place:
        place["offset"] = int(place["offset"])
    return place


def _entries_used(chosen: Sequence[EnrichedActivity | None], need: int) -> int:
    """How many entries it takes until enough of them can be shown."""
    for place, entry in enumerate(chosen, start=1):
        need -= entry is not None
        if need == 0:
            return place
    return len(chosen)


def _cursor_after(answer: Mapping[str, Any], used: int, cursor: str | None, order: str | None) -> str | None:
    """The place of the first entry that was not used, which the answer began to read at `cursor`."""
    results = answer["results"]
    if used == len(results):
        return _cursor_of(answer["next"])
    place = _after(cursor)
    if "offset" in place:
        return urlencode(place | {"offset": place["offset"] + used})
    last = results[used - 1]["id"]
    if order == "oldest":
        return urlencode({"id_gt": last})
    return urlencode({**place, "id_lt": last}) if "session" in place else last


def _cursor_of(next_url: str) -> str | None:
    """The place that the answer's `next` names: an id as it is, or several parameters as in a query."""
    query = parse_qsl(urlsplit(next_url).query)
    if ("order", "oldest") in query:
        return urlencode({"id_gt": dict(query)["id_gt"]})
    place = [(name, value) for name, value in query if name in _PLACE]
    if not place:
        return None
    return place[0][1] if [name for name, _ in place] == ["id_lt"] else urlencode(place)
