"""Sending digests: at most one in each period to each user, whatever is killed and however many workers run.

The period is claimed before the e-mail is sent. Who is killed in between sends none; what it would have
told of stands in the next one, since how far e-mails have told is written after the sending.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core import mail
from django.core.exceptions import FieldDoesNotExist
from django.core.mail import EmailMessage
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from django_stream.conf import imported, stream_settings
from django_stream.feeds.event_loop import refuse_event_loop
from django_stream.notifications.digest import Digest, NothingToTell
from django_stream.notifications.lens import forget_told
from django_stream.notifications.models import DAILY, OFF, WEEKLY, DigestSubscription
from django_stream.notifications.unsubscribing import site_url

logger = logging.getLogger("django_stream.notifications")

_CHUNK = 500
_MAILS_PER_CONNECTION = 50
_DAYS = {DAILY: 1, WEEKLY: 7}


@dataclass
class DigestReport:
    """What became of those whose e-mails were due."""

    sent: int = 0
    empty: int = 0
    """There was nothing to tell, or no address."""
    failed: int = 0


def send_digests(*, dry_run: bool = False) -> DigestReport:
    """Send what is due to everybody; call it once a day or more often.

    With `dry_run`, nothing is sent and nothing is written. ImproperlyConfigured while
    STREAM_NOTIFICATIONS_BASE_URL is missing; failures of single users are logged and counted.
    """
    refuse_event_loop("sending e-mails", "sync_to_async(send_digests)()")
    site_url()
    report, now = DigestReport(), timezone.now()
    with _Mailing() as mailing:
        for user, frequency in _due(now):
            # Before anything is claimed: where no server answers, or answers no more, nothing is claimed.
            mailing.open()
            outcome = _outcome(user, frequency, now, None if dry_run else mailing)
            setattr(report, outcome, getattr(report, outcome) + 1)
    if not dry_run:
        forget_told(now)
    return report


class _Mailing:
    """A connection to the mail server that is renewed after a failure, and now and then.

    Servers end those on which much was sent, and those that were idle.
    """

    def __init__(self) -> None:
        # Django 6.1 has several mailers, and no longer wants to be asked for a connection.
        mailers = getattr(mail, "mailers", None)
        self._connection = mail.get_connection() if mailers is None else mailers.default
        self._sent = 0

    def __enter__(self) -> _Mailing:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Open it unless it is; what the mail backend raises where no server answers."""
        if self._sent >= _MAILS_PER_CONNECTION:
            self.close()
        self._connection.open()

    def close(self) -> None:
        self._sent = 0
        try:
            self._connection.close()
        except Exception:  # of a connection that is broken already
            logger.debug("the connection to the mail server cannot be closed", exc_info=True)

    def send(self, message: EmailMessage) -> None:
        try:
            self._connection.send_messages([message])
        except Exception:
            self.close()
            raise
        self._sent += 1


def first_day(frequency: str, now: datetime) -> date:
    """The first day of the period that a moment lies in, where the site is: its day, or its Monday."""
    today = timezone.localdate(now) if timezone.is_aware(now) else now.date()
    return today - timedelta(days=today.weekday()) if frequency == WEEKLY else today


def _due(now: datetime) -> Iterator[tuple[Any, str]]:
    """Users with how often they get e-mails, as far as their period has none yet; a chunk at a time."""
    default, last = stream_settings.NOTIFICATIONS_DIGEST, None
    rows = DigestSubscription.objects.filter(user=OuterRef("pk"))
    condition = Q() if default == OFF else ~Q(Exists(rows))
    for one in _DAYS:
        chosen = rows.filter(frequency__in=[one, ""] if one == default else [one])
        condition |= Q(Exists(chosen.filter(Q(period=None) | Q(period__lt=first_day(one, now)))))
    users = _with_address().filter(condition).order_by("pk")
    while some := list((users if last is None else users.filter(pk__gt=last))[:_CHUNK]):
        last = some[-1].pk
        chosen_by = dict(DigestSubscription.objects.filter(user__in=some).values_list("user", "frequency"))
        yield from ((user, chosen_by.get(user.pk) or default) for user in some if user.is_active)


def _with_address() -> models.QuerySet[Any]:
    model: Any = get_user_model()
    users: models.QuerySet[Any] = model._default_manager.all()
    try:
        model._meta.get_field(model.get_email_field_name())
    except FieldDoesNotExist:
        return users
    return users.exclude(**{model.get_email_field_name(): ""})


def _outcome(user: Any, frequency: str, now: datetime, mailing: _Mailing | None) -> str:
    try:
        if mailing is None:
            return _preview(user, frequency, now)
        return _send(user, frequency, now, mailing)
    except Exception:  # such as of a user who is deleted meanwhile, or a lock that is not given
        logger.exception("the digest of user %s failed", user.pk)
        return "failed"


def _send(user: Any, frequency: str, now: datetime, mailing: _Mailing) -> str:
    claimed = claim(user, frequency, now)
    if claimed is None:
        return "empty"
    period, since = claimed
    try:
        digest = _digest(user, since)
        message = digest.message() if digest.entries and digest.address() else None
    except NothingToTell as error:
        logger.warning("the digest of user %s is empty: %s", user.pk, error)
        return "empty"
    except Exception:  # whatever the feeds' backend, or a project's own class, may raise
        logger.exception("the digest of user %s cannot be made, and is tried again", user.pk)
        _rows(user).filter(period=first_day(frequency, now)).update(period=period)
        return "failed"
    if message is None:
        return "empty"
    try:
        mailing.send(message)
    except Exception:  # of any mail backend
        # Nobody knows whether it arrived. What it told of is in the next one.
        logger.exception("the digest of user %s was not sent", user.pk)
        return "failed"
    _rows(user).update(mailed_until=digest.until)
    digest.was_sent()
    return "sent"


def _preview(user: Any, frequency: str, now: datetime) -> str:
    row = _rows(user).first()
    digest = _digest(user, (row and row.mailed_until) or _first_since(frequency, now))
    return "sent" if digest.entries and digest.address() else "empty"


def _digest(user: Any, since: datetime) -> Digest:
    kind: type[Digest] = imported(stream_settings.NOTIFICATIONS_DIGEST_CLASS)
    return kind(user, since)


def _first_since(frequency: str, now: datetime) -> datetime:
    """The first e-mail tells of what came in one period, and not of years."""
    return now - timedelta(days=_DAYS[frequency])


def claim(user: Any, frequency: str, now: datetime) -> tuple[date | None, datetime] | None:
    """The period before, and since when there is something to tell.

    None when another worker was faster, or the user wants it no more or otherwise.
    """
    start, since = first_day(frequency, now), _first_since(frequency, now)
    with transaction.atomic():
        row = _rows(user).select_for_update().first()
        if row is None:
            return (None, since) if _create(user, start, since) else None
        if (row.period is not None and row.period >= start) or (
            (row.frequency or stream_settings.NOTIFICATIONS_DIGEST) != frequency
        ):
            return None
        since = row.mailed_until or since
        _rows(user).update(period=start, mailed_until=since)
    return row.period, since


def _create(user: Any, start: date, since: datetime) -> bool:
    try:
        with transaction.atomic():
            DigestSubscription.objects.create(user=user, period=start, mailed_until=since)
    except IntegrityError:
        return False
    return True


def _rows(user: Any) -> models.QuerySet[DigestSubscription]:
    return DigestSubscription.objects.filter(user=user.pk)
