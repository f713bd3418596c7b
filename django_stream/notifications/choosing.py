"""Where people want to hear of what, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async

from django_stream.conf import stream_settings
from django_stream.feeds.event_loop import refuse_event_loop
from django_stream.notifications.models import FREQUENCIES, DigestSubscription, Preference
from django_stream.protocol.suggestions import did_you_mean
from django_stream.protocol.texts import is_text

_LONGEST_VERB = 255
# Each page reads those that are off.
_MOST_VERBS = 500


@dataclass(frozen=True, slots=True)
class Channels:
    """Where somebody hears of a verb; nowhere when both are false."""

    in_feed: bool = True
    by_email: bool = True


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a user chose: by verb (all others are wanted everywhere), and "daily", "weekly" or "off"."""

    verbs: Mapping[str, Channels]
    digest: str


def preferences(user: Any) -> Preferences:
    """What a user chose."""
    refuse_event_loop("reading preferences", "apreferences(…)")
    rows = Preference.objects.filter(user=_pk(user)).order_by("verb")
    found = {verb: Channels(*on) for verb, *on in rows.values_list("verb", "in_feed", "by_email")}
    chosen = DigestSubscription.objects.filter(user=_pk(user)).values_list("frequency", flat=True).first()
    return Preferences(found, chosen or stream_settings.NOTIFICATIONS_DIGEST)


def set_preference(
    user: Any, verb: str, *, in_feed: bool | None = None, by_email: bool | None = None
) -> Channels:
    """Say where a user wants to hear of a verb; what is not given stays as it is."""
    refuse_event_loop("writing preferences", "aset_preference(…)")
    if not isinstance(verb, str) or not 0 < len(verb) <= _LONGEST_VERB or not is_text(verb):
        raise ValueError(f"a verb is a text of up to {_LONGEST_VERB} characters, and not {verb!r}")
    given = {"in_feed": in_feed, "by_email": by_email}
    changed = {name: value for name, value in given.items() if value is not None}
    others = Preference.objects.filter(user=_pk(user)).exclude(verb=verb)
    if others.count() >= _MOST_VERBS and not Preference.objects.filter(user=_pk(user), verb=verb).exists():
        raise ValueError(f"a user has preferences for up to {_MOST_VERBS} verbs")
    row, _ = Preference.objects.update_or_create(user_id=_pk(user), verb=verb, defaults=changed)
    return Channels(row.in_feed, row.by_email)


def set_digest(user: Any, frequency: str) -> None:
    """Say how often a user gets e-mails: "daily", "weekly" or "off"."""
    refuse_event_loop("writing preferences", "aset_digest(…)")
    if frequency not in FREQUENCIES:
        raise ValueError(f"there is no frequency {frequency!r}. {did_you_mean(str(frequency), FREQUENCIES)}")
    DigestSubscription.objects.update_or_create(user_id=_pk(user), defaults={"frequency": frequency})


async def apreferences(user: Any) -> Preferences:
    """`preferences` for asynchronous views."""
    return await sync_to_async(preferences)(user)


async def aset_preference(
    user: Any, verb: str, *, in_feed: bool | None = None, by_email: bool | None = None
) -> Channels:
    """`set_preference` for asynchronous views."""
    return await sync_to_async(set_preference)(user, verb, in_feed=in_feed, by_email=by_email)


async def aset_digest(user: Any, frequency: str) -> None:
    """`set_digest` for asynchronous views."""
    await sync_to_async(set_digest)(user, frequency)


def _pk(user: Any) -> Any:
    return getattr(user, "pk", user)
