"""Bringing the feeds in line with whole tables: rows from before, rows that are gone, and all in between."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import router

from django_stream.backends import EMBEDDED, get_client
from django_stream.client import Feed, StreamClient
from django_stream.conf import stream_settings
from django_stream.database.statistics import analyze
from django_stream.operations import checkpoints
from django_stream.operations.checkpoints import Progress
from django_stream.operations.flight import in_flight
from django_stream.operations.rate import RateLimitedTransport
from django_stream.operations.selection import Selection
from django_stream.operations.walking import Position, Walk
from django_stream.publishing.models import OutboxEntry, Publication
from django_stream.publishing.objects import preview_objects, publish_objects
from django_stream.publishing.publisher import Publisher
from django_stream.publishing.report import DrainReport

_ROWS, _GONE = "rows", "gone"
_ANALYZED_AT = (5_000, 50_000, 500_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How tables are published."""

    using: str = "default"
    selection: Selection = field(default_factory=Selection)
    force: bool = False
    """Send even what is known to be there."""
    fanout: bool = True
    """False: the feeds of the followers are left as they are."""
    jobs: int = 1
    rate: float | None = None
    """Requests per second."""
    resume: bool = False
    dry_run: bool = False

    def described(self) -> dict[str, Any]:
        """What must be equal for a run to go on with another's checkpoint."""
        return {**self.selection.options(), "force": self.force, "fanout": self.fanout}

    def batch_size(self) -> int:
        """Objects that are leased together: at a slow rate, no more than can be sent in that time."""
        size = stream_settings.OUTBOX_BATCH_SIZE
        if self.rate is None:
            return size
        in_half_the_lease = self.rate * stream_settings.OUTBOX_LEASE_SECONDS / 2 / self.jobs
        return max(1, min(size, int(in_half_the_lease)))

    def client(self) -> StreamClient:
        client = get_client()
        if not self.fanout:
            client = _quiet(client)
        return client.with_transport(RateLimitedTransport(client.api.transport, self.rate))


def backfill(
    command: str, publisher: Publisher, options: Options, tell: Callable[[DrainReport], object]
) -> DrainReport:
    """Publish the rows of one model, and take out what is gone; `tell` is called with the totals so far.

    It ends early when the API is out of reach. What fails is in the outbox, and in the totals.
    """
    if options.dry_run:
        return _preview(publisher, options, tell)
    run = checkpoints.begin(
        f"{command} {publisher.label}", options.using, options.described(), resume=options.resume
    )
    if run.row.done:
        return run.totals
    return _Run(publisher, options, run).publish(tell)


def finish(command: str, publishers: Iterable[Publisher], using: str) -> None:
    """Nothing is left to resume of these tables."""
    checkpoints.forget([f"{command} {one.label}" for one in publishers], using)


@dataclass(slots=True)
class _Run:
    publisher: Publisher
    options: Options
    run: Progress

    def publish(self, tell: Callable[[DrainReport], object]) -> DrainReport:
        client = self.options.client()

        def work(step: tuple[Position, list[str]]) -> DrainReport:
            keys = step[1]
            return publish_objects(
                self.publisher.label,
                keys,
                self.options.using,
                client=client,
                token=self.run.token,
                earlier=self.run.earlier,
                force=self.options.force,
            )

        end: Position = []
        steps = _steps(self.publisher, self.options, self.run.row.position)
        for (end, _), report in in_flight(steps, work, self.options.jobs, self.options.using):
            if report.out_of_reach:
                return self.run.totals + report
            before = self.run.totals.published
            self.run.advance(end, report)
            self._analyze(before, self.run.totals.published)
            tell(self.run.totals)
        self.run.advance(end, DrainReport(), is_done=True)
        return self.run.totals

    def _analyze(self, before: int, now: int) -> None:
        if any(before < mark <= now for mark in _ANALYZED_AT):
            analyze_filled(self.options.using)


def _steps(
    publisher: Publisher, options: Options, after: Position | None
) -> Iterator[tuple[Position, list[str]]]:
    """Keys to look at, each lot with the place behind it: first of rows, then of rows that are gone."""
    selection, using, size = options.selection, options.using, options.batch_size()
    phase, place = (after[0], after[1]) if after else (_ROWS, None)
    if phase == _ROWS:
        rows = selection.rows(publisher, using)
        for step in Walk(rows, publisher.order()).steps(size, place):
            keys = list(dict.fromkeys(publisher.keys_at(rows, step.pks)))
            yield [_ROWS, step.end], selection.keys(publisher, keys, using)
        place = None
    if selection.is_all:
        ledger = Publication.objects.using(using).filter(model_label=publisher.label)
        for step in Walk(ledger).steps(size, place):
            keys = list(ledger.filter(pk__in=step.pks).values_list("object_key", flat=True))
            there = publisher.there(keys, using)
            yield [_GONE, step.end], sorted(set(keys).difference(there))


def _preview(publisher: Publisher, options: Options, tell: Callable[[DrainReport], object]) -> DrainReport:
    total = DrainReport()
    for _, keys in _steps(publisher, options, None):
        total += preview_objects(publisher, keys, options.using, force=options.force)
        tell(total)
    return total


def analyze_filled(using: str) -> None:
    """Statistics for the tables that grow while tables are published."""
    analyze((Publication, OutboxEntry), using)
    if stream_settings.BACKEND == EMBEDDED and apps.is_installed("django_stream.server"):
        for model in apps.get_app_config("django_stream_server").get_models():
            analyze([model], router.db_for_write(model))


class _QuietFeed(Feed):
    """A feed whose followers do not get what is added: the API has one call for that, for one activity."""

    def add_activities(self, activity_list: Collection[Any]) -> None:  # type: ignore[override]
        for activity in activity_list:
            self.client.add_to_many(activity, [self.id])


class _QuietClient(StreamClient):
    def feed(self, feed_slug: object, user_id: object = None) -> Feed:
        feed = super().feed(feed_slug, user_id)
        return _QuietFeed(self, feed.slug, feed.user_id)


def _quiet(client: StreamClient) -> StreamClient:
    return _QuietClient(
        client.api_key,
        client.api_secret,
        client.app_id,
        timeout=client.timeout or stream_settings.TIMEOUT,
        transport=client.api.transport,
    )
