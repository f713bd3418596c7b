"""Pages of a feed, enriched: full pages even where rows are gone, and a cursor to the next."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.http import Http404

from django_stream.backends import EMBEDDED
from django_stream.client import Feed
from django_stream.client.exceptions import InternalException, StreamApiException
from django_stream.conf import stream_settings
from django_stream.database.pending_migrations import remedy
from django_stream.feeds.activity_references import resolve_activities
from django_stream.feeds.enriched_answers import with_references
from django_stream.feeds.enrichment import DEFAULT_FIELDS, Enrich, EnrichedActivity, apply_missing_policy
from django_stream.protocol import limits

# Activities whose rows are gone are made up for by reading on, but only so many times in a request.
_MAX_ROUNDS = 5


class BadCursor(Http404):
    """This feed never gave out such a cursor. A view that lets it pass answers 404."""


@dataclass(frozen=True, slots=True)
class Page:
    """Enriched activities (or groups), newest first; `next` is the cursor of the following page or None."""

    activities: list[EnrichedActivity]
    next: str | None
    unseen: int | None = None
    unread: int | None = None

    def __iter__(self) -> Iterator[EnrichedActivity]:
        return iter(self.activities)

    def __len__(self) -> int:
        return len(self.activities)

    def __getitem__(self, index: int) -> EnrichedActivity:
        return self.activities[index]


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Reads one feed in enriched pages; `fields` are the keys whose references become instances."""

    feed: Feed
    fields: Sequence[str] = DEFAULT_FIELDS

    def page(self, limit: int = 25, cursor: str | None = None, **options: Any) -> Page:
        """Read up to `limit` (1 to 100) activities or groups that are older than `cursor`.

        `cursor` is the `next` of the page before. Options go to the API, such as `mark_seen=True` or
        `ranking="…"`. Raises ValueError for a wrong limit, BadCursor for a cursor of another feed,
        MissingObject where the settings say so, and the client's exceptions when the backend fails.
        """
        _check(limit, cursor, options)
        kept: list[EnrichedActivity] = []
        answer: dict[str, Any] = {}
        first: dict[str, Any] | None = None
        for _ in range(_MAX_ROUNDS):
            answer = self._read(limit - len(kept), cursor, options)
            first = first or answer
            kept += apply_missing_policy(self._enrich(answer["results"]))
            cursor = _cursor_of(answer["next"])
            if len(kept) == limit or cursor is None:
                break
        counts = {name: first[name] for name in ("unseen", "unread") if first and name in first}
        return Page(kept, cursor, **counts)

    async def apage(self, limit: int = 25, cursor: str | None = None, **options: Any) -> Page:
        """`page` for asynchronous views."""
        return await sync_to_async(self.page)(limit, cursor, **options)

    def unseen(self) -> int:
        """How many entries of a notification feed were never looked at; KeyError for other feeds."""
        return int(self._read(1, None, {})["unseen"])

    def _read(self, limit: int, cursor: str | None, options: dict[str, Any]) -> dict[str, Any]:
        _refuse_event_loop()
        try:
            return dict(self.feed.get(limit=limit, **_after(cursor), **options))
        except StreamApiException as error:
            if cursor and error.status_code == 400:
                raise BadCursor(f"{cursor!r} is no place in {self.feed.id}") from error
            if isinstance(error, InternalException):
                _tell_of_missing_tables(error)
            raise

    def _enrich(self, results: list[dict[str, Any]]) -> list[EnrichedActivity]:
        enrich = Enrich(self.fields)
        results = [with_references(result, self.fields) for result in results]
        results = resolve_activities(self.feed.client, results, self.fields)
        if results and "activities" in results[0]:
            return enrich.enrich_aggregated_activities(results)
        return enrich.enrich_activities(results)


def _refuse_event_loop() -> None:
    """Refuse to block an event loop, and name the remedy, which Django's own error would not."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    if not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        raise SynchronousOnlyOperation(
            "reading a feed here would block the event loop: use `await ….apage()`, "
            "or wrap the code in sync_to_async()"
        )


def _check(limit: object, cursor: object, options: Mapping[str, Any]) -> None:
    """Refuse what comes straight from a query string, or would contradict the cursor."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= limits.PAGE_MAX:
        hint = ": turn text into a number first, by int()" if isinstance(limit, str) else ""
        raise ValueError(f"limit must be a number from 1 to {limits.PAGE_MAX}, not {limit!r}{hint}")
    if not isinstance(cursor, str | None):
        raise ValueError(f"cursor must be the `next` of the page before, or None, not {cursor!r}")
    if "id_lt" in options:
        raise ValueError("a page begins at its cursor: give cursor= and not id_lt=")


def _tell_of_missing_tables(error: InternalException) -> None:
    """While developing, tell who forgot to run `migrate`."""
    if settings.DEBUG and stream_settings.BACKEND == EMBEDDED and (commands := remedy()):
        raise ImproperlyConfigured(
            f"the feeds cannot be read, since the database is behind the models: run `{commands}`"
        ) from error


def _after(cursor: str | None) -> dict[str, Any]:
    return {"id_lt": cursor} if cursor else {}


def _cursor_of(next_url: str) -> str | None:
    """The `id_lt` of the answer's `next`, which names the last entry read."""
    values = parse_qs(urlsplit(next_url).query).get("id_lt") if next_url else None
    return values[0] if values else None
