"""What is wrong with an installation, each finding with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from celery import current_app
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import timezone

from django_stream.activities.registry import declared_feeds
from django_stream.backends import get_client
from django_stream.client import meta
from django_stream.client.exceptions import FeedConfigException, StreamApiException, StreamException
from django_stream.conf import stream_settings
from django_stream.database.plans import invalid_indexes, missing_indexes, reads_all, seconds_ahead
from django_stream.database.poolers import check_pooler
from django_stream.database.statistics import never_analyzed
from django_stream.operations.verify import inspection_of_home
from django_stream.publishing import capture
from django_stream.publishing.models import Checkpoint, OutboxEntry, Publication
from django_stream.publishing.nudge import DRAIN_TASK
from django_stream.publishing.publisher import publisher_for
from django_stream.publishing.queues import waiting_messages
from django_stream.publishing.status import outbox_status
from django_stream.wakeup import has_workers

Level = Literal["ok", "warning", "error"]
QUICK_CHECK = "django_stream.W071"
_MAINTAIN_TASK = "django_stream.server.maintain"
_SKEW_SECONDS = 60
# The schedule comes every few minutes.
_JOB_SECONDS = 900.0
_PING_SECONDS = 2
# More wait for a moment after large imports, and for long where no worker takes them.
_BACKLOG = 1000
_ON_MODELS = ("stream_backfill", "stream_sync")
_TEMPLATES = ("django_stream/activity.html", "django_stream/group.html")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at."""

    about: str
    level: Level
    text: str
    remedy: str = ""


Look = tuple[str, Callable[[], Iterator[Finding]]]


def examine(using: str = "default", *, deploy: bool = False, full: bool = False) -> Iterator[Finding]:
    """Look at everything, one after the other; what cannot be looked at is a finding itself.

    With `full`, orphans are looked for in all feeds, which reads every entry once.
    """
    yield from _findings(
        [
            ("settings", lambda: _settings(deploy)),
            ("API", _api),
            ("feed groups", _feed_groups),
            ("broker", _broker),
            ("beat", _beat),
            *_of_database(using),
            ("triggers", lambda: _triggers(using)),
            ("templates", _templates),
            ("jobs", _jobs),
            ("files", _files),
            ("orphans", lambda: _orphans(full)),
        ]
    )


def examine_quickly(databases: Iterable[str]) -> Iterator[Finding]:
    """What takes no network and few queries; `check --deploy` tells it."""
    yield from _findings([("beat", _beat), ("templates", _templates)])
    for using in databases:
        yield from _findings(_of_database(using))


def _of_database(using: str) -> list[Look]:
    return [
        ("outbox", lambda: _outbox(using)),
        ("ledger", lambda: _ledger(using)),
        ("runs", lambda: _runs(using)),
        ("clock", lambda: _clock(using)),
        ("pooler", lambda: _pooler(using)),
        ("statistics", lambda: _statistics(using)),
        ("indexes", lambda: _indexes(using)),
    ]


def _findings(looks: Iterable[Look]) -> Iterator[Finding]:
    for about, look in looks:
        try:
            found = list(look())
        except Exception as error:  # whatever is broken must not keep the rest from being looked at
            found = [Finding(about, "error", f"{type(error).__name__}: {error}")]
        yield from found or [Finding(about, "ok", "nothing to complain of")]


def _settings(deploy: bool) -> Iterator[Finding]:
    for one in checks.run_checks(include_deployment_checks=deploy):
        if one.id == QUICK_CHECK:
            continue  # what it tells is told below
        if (one.id or "").startswith("django_stream") and not one.is_silenced():
            level: Level = "error" if one.level >= checks.ERROR else "warning"
            yield Finding("settings", level, f"{one.id}: {one.msg}", one.hint or "")


def _api() -> Iterator[Finding]:
    """Whether it is reached, believes us, and has the same time."""
    try:
        client = get_client()
    except ImproperlyConfigured as error:
        yield Finding("API", "error", str(error), "correct STREAM_BACKEND")
        return
    try:
        answer = client.feed(stream_settings.USER_FEED, "doctor").get(limit=1)
    except FeedConfigException:
        return  # it is reached; the groups are another matter
    except StreamApiException as error:
        refused = error.status_code in (401, 403)
        remedy = "correct STREAM_API_KEY and STREAM_API_SECRET" if refused else "see the log of the API"
        yield Finding("API", "error", f"it refuses us: {error}", remedy)
        return
    except StreamException as error:
        yield Finding(
            "API", "error", f"it cannot be reached: {error}", "check STREAM_BACKEND and the network"
        )
        return
    if date := meta(answer).header("Date"):
        skew = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
        if skew > _SKEW_SECONDS:
            yield Finding(
                "API", "error", f"its clock and ours differ by {skew:.0f} s", "let NTP set both clocks"
            )


def _feed_groups() -> Iterator[Finding]:
    news = dict.fromkeys(stream_settings.news_feeds.values(), "STREAM_NEWS_FEEDS")
    wanted = {stream_settings.USER_FEED: "STREAM_USER_FEED", **news}
    wanted[stream_settings.NOTIFICATION_FEED] = "STREAM_NOTIFICATION_FEED"
    wanted |= {slug: place for place, slug in declared_feeds() if slug not in wanted}
    for slug, place in wanted.items():
        try:
            get_client().feed(slug, "doctor").get(limit=1)
        except FeedConfigException:
            text = f"{place} names the feed group {slug!r}, which the API does not have"
            yield Finding(
                "feed groups", "error", text, "add it to STREAM_SERVER_FEED_GROUPS, or in the dashboard"
            )


def _broker() -> Iterator[Finding]:
    if stream_settings.WORKERS == "django":
        yield Finding("broker", "ok", "the workers of Django's tasks publish", "")
        return
    if not has_workers():
        remedy = "run `manage.py stream_outbox drain --watch`, or `stream_outbox drain` by cron"
        yield Finding(
            "broker", "ok", "no Celery: commits publish on the spot, and retries need a drain", remedy
        )
        return
    try:
        with current_app.connection_for_write(connect_timeout=_PING_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, timeout=_PING_SECONDS)
        answers = current_app.control.ping(timeout=_PING_SECONDS)
    except Exception as error:  # each kind of broker has errors of its own
        yield Finding("broker", "error", f"the broker does not answer: {error}", "start it; nothing is lost")
        return
    if not answers:
        yield Finding("broker", "error", "no worker answers", "start `celery -A <project> worker`")
    for queue, count in queued().items():
        if count > _BACKLOG:
            text = f"{count} messages wait in the queue {queue!r}"
            yield Finding("broker", "warning", text, "is a worker on that queue? start more, or larger ones")


def queued() -> dict[str, int]:
    """How many messages wait, by the queues of both halves."""
    inspection = inspection_of_home()
    return waiting_messages(inspection.queues() if inspection is not None else ())


def _beat() -> Iterator[Finding]:
    """What is to be run now and then."""
    if stream_settings.WORKERS == "django" or not has_workers():
        return
    scheduled = {entry["task"] for entry in (current_app.conf.beat_schedule or {}).values()}
    if DRAIN_TASK not in scheduled:
        text = f"{DRAIN_TASK} is not in CELERY_BEAT_SCHEDULE: failed changes are never tried again"
        yield Finding("beat", "error", text, "add it, as docs/publishing.md shows")
    if inspection_of_home() is not None and _MAINTAIN_TASK not in scheduled:
        text = (
            f"{_MAINTAIN_TASK} is not in CELERY_BEAT_SCHEDULE: large fan-outs of killed workers stay undone"
        )
        yield Finding("beat", "warning", text, "add it, as docs/server.md shows")


def _outbox(using: str) -> Iterator[Finding]:
    found = outbox_status(using)
    if found.oldest_seconds > stream_settings.OUTBOX_ALARM_SECONDS:
        text = f"{found.depth} changes wait, the oldest for {found.oldest_seconds:.0f} s"
        yield Finding("outbox", "error", text, "see `manage.py stream_outbox status`; is a drain running?")
    if found.parked:
        text = f"{found.parked} changes are parked"
        remedy = "see `manage.py stream_outbox status`, mend the cause, then `stream_outbox retry`"
        yield Finding("outbox", "warning", text, remedy)


def _ledger(using: str) -> Iterator[Finding]:
    labels = Publication.objects.using(using).order_by().values_list("model_label", flat=True).distinct()
    for label in sorted(labels):
        if publisher_for(label) is None:
            remedy = "track the model again, or run `manage.py stream_backfill` and `stream_sync`"
            yield Finding("ledger", "warning", f"{label} is tracked no longer, and in the feeds", remedy)


def _runs(using: str) -> Iterator[Finding]:
    for row in Checkpoint.objects.using(using).filter(done=False).order_by("pk"):
        command, _, label = row.name.partition(" ")
        text = f"{row.name} has not ended since {row.updated_at:%Y-%m-%d %H:%M}"
        # The others work on no models: they are run with the options that they had.
        model = f" {label.partition('#')[0]}" if command in _ON_MODELS else ""
        remedy = f"if it runs no longer: `manage.py {command}{model} --resume`"
        if command == "stream_move":
            remedy = (
                "if it runs no longer: `manage.py stream_move` or `stream_import` as before, and --resume"
            )
        yield Finding("runs", "warning", text, remedy)


def _triggers(using: str) -> Iterator[Finding]:
    if not capture.is_possible(using):
        return
    found = capture.differences(using)
    if found.missing or found.surplus:
        text = f"{len(found.missing)} triggers are missing, {len(found.surplus)} stale or not declared"
        yield Finding("triggers", "error", text, "run `manage.py stream_triggers install`")


def _templates() -> Iterator[Finding]:
    for name in _TEMPLATES:
        try:
            get_template(name)
        except TemplateDoesNotExist:
            remedy = 'set "APP_DIRS": True in TEMPLATES, or add the loader of apps'
            yield Finding("templates", "warning", f"{name} is not found: activities cannot be shown", remedy)


def _statistics(using: str) -> Iterator[Finding]:
    tables = never_analyzed((OutboxEntry, Publication), using)
    if tables:
        text = f"{', '.join(tables)}: PostgreSQL has no statistics of what is in there"
        yield Finding("statistics", "warning", text, "run ANALYZE, and see that autovacuum is on")


def _clock(using: str) -> Iterator[Finding]:
    ahead = seconds_ahead(Publication, using)
    if ahead is not None and abs(ahead) > _SKEW_SECONDS:
        text = (
            f"the clock of the database and ours differ by {abs(ahead):.0f} s: leases end too early or late"
        )
        yield Finding("clock", "error", text, "let NTP set both clocks")


def _pooler(using: str) -> Iterator[Finding]:
    for one in check_pooler([using]):
        level: Level = "error" if one.level >= checks.ERROR else "warning"
        yield Finding("pooler", level, one.msg, one.hint or "")


def _indexes(using: str) -> Iterator[Finding]:
    """Whether the main statements are served by indexes: of our tables, and of an embedded server's."""
    remedy = "run `manage.py migrate`; create again by hand what somebody has dropped"
    for text in (*_slow_statements(using), *_slow_in_home()):
        yield Finding("indexes", "warning", text, remedy)


def _slow_statements(using: str) -> Iterator[str]:
    tables: list[type[models.Model]] = [OutboxEntry, Publication, Checkpoint]
    for model in tables:
        for name in missing_indexes(model, using):
            yield f"the index {name} of {model._meta.db_table} is missing"
    for name in invalid_indexes(tables, using):
        yield f"the index {name} is not valid"
    due = OutboxEntry.objects.using(using).filter(due_at__lte=timezone.now())
    known = Publication.objects.using(using).filter(object_key="1", model_label="a")
    for what, rows in (("a drain", due.order_by("bulk", "due_at", "pk")[:100]), ("publishing", known)):
        if reads_all(rows):
            yield f"{what} reads the whole table {rows.model._meta.db_table}"


def _slow_in_home() -> Iterator[str]:
    inspection = inspection_of_home()
    yield from inspection.slow_statements() if inspection is not None else ()


def _jobs() -> Iterator[Finding]:
    inspection = inspection_of_home()
    found = inspection.idle_jobs(_JOB_SECONDS) if inspection is not None else 0
    if found:
        text = f"{found} large fan-outs or trees of reactions were left undone"
        yield Finding(
            "jobs", "error", text, "run `manage.py stream_server_maintain` by cron, every few minutes"
        )


def _files() -> Iterator[Finding]:
    """Whether what was deleted is gone from the storage."""
    inspection = inspection_of_home()
    count, seconds = inspection.undeleted_files() if inspection is not None else (0, 0.0)
    if seconds > _JOB_SECONDS:
        text = f"{count} deleted files have their bytes in the storage still, the oldest for {seconds:.0f} s"
        remedy = "run `manage.py stream_server_maintain` by cron, every few minutes; its log says what fails"
        yield Finding("files", "error", text, remedy)


def _orphans(full: bool) -> Iterator[Finding]:
    inspection = inspection_of_home()
    found = inspection.orphans(every=full) if inspection is not None else 0
    if found:
        text = f"{found} feeds list activities that do not exist"
        yield Finding("orphans", "error", text, "run `manage.py stream_server_maintain --orphans`")
