"""System checks of capture by the database: what is declared, and whether the triggers are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from django_stream.conf import stream_settings
from django_stream.protocol.suggestions import did_you_mean
from django_stream.publishing import capture
from django_stream.publishing.publisher import publishers

WAYS = ("signals", "database")


def check_capture(**_: Any) -> list[CheckMessage]:
    """Each model is captured in a way that there is, and its keys are such that triggers can write them."""
    found: list[CheckMessage] = []
    if stream_settings.CAPTURE not in WAYS:
        found.append(_unknown("STREAM_CAPTURE", stream_settings.CAPTURE, None))
    for publisher in publishers():
        model = publisher.model
        if publisher.capture is not None and publisher.capture not in WAYS:
            found.append(_unknown(f"{model._meta.label}: capture", publisher.capture, model))
        elif capture.wants_capture(publisher):
            try:
                list(publisher.noted_tables(DEFAULT_DB_ALIAS))
            except TypeError as error:
                found.append(
                    Error(
                        f"{model._meta.label}: the database cannot note its changes: {error}.",
                        hint='Give the model capture = "signals".',
                        obj=model,
                        id="django_stream.E061",
                    )
                )
    return found


def check_triggers(databases: Sequence[str] | None = None, **_: Any) -> Iterable[CheckMessage]:
    """The triggers of captured models are in the database, and no others of ours (`check --database`)."""
    if not any(map(capture.wants_capture, publishers())):
        return
    for using in databases or ():
        try:
            lacking = capture.is_possible(using) and capture.differences(using)
        except (DatabaseError, TypeError):
            continue  # other checks name what is wrong
        if lacking and (lacking.missing or lacking.surplus):
            yield Warning(
                f"Database {using!r}: {len(lacking.missing)} triggers that note changes are missing, and "
                f"{len(lacking.surplus)} are stale.",
                hint=f"Run `manage.py stream_triggers install --database {using}`. Signals note the changes "
                "of the site itself meanwhile, and nobody those of others.",
                id="django_stream.W060",
            )


def _unknown(place: str, value: Any, obj: Any) -> CheckMessage:
    return Error(
        f"{place} is {value!r}.",
        hint=did_you_mean(str(value), list(WAYS)),
        obj=obj,
        id="django_stream.E060",
    )
