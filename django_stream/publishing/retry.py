"""When a failed change is tried again, and when it is given up."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from django.db import InterfaceError, OperationalError

from django_stream.client.exceptions import InvalidResponse, StreamApiException, TransportException
from django_stream.conf import stream_settings


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """Exponential delays with jitter, so that what failed together is not tried again together."""

    base_seconds: float
    cap_seconds: float
    max_attempts: int

    @classmethod
    def from_settings(cls) -> RetrySchedule:
        return cls(
            stream_settings.OUTBOX_RETRY_BASE_SECONDS,
            stream_settings.OUTBOX_RETRY_CAP_SECONDS,
            stream_settings.OUTBOX_MAX_ATTEMPTS,
        )

    def gives_up(self, failure: Exception, failures: int) -> bool:
        """Whether a change is parked after its `failures`-th failure of those that count."""
        if is_held_back(failure):
            return False
        return failures >= self.max_attempts or not is_transient(failure)

    def delay(self, failure: Exception, attempts: int) -> timedelta:
        """Time until the next attempt; the server's own hint wins."""
        meta = failure.meta if isinstance(failure, StreamApiException) else None
        hint = (meta.retry_after if meta else None) or ""
        if hint.isascii() and hint.isdigit():
            return timedelta(seconds=min(int(hint), self.cap_seconds))
        ceiling = min(self.cap_seconds, self.base_seconds * 2.0 ** min(attempts - 1, 30))
        return timedelta(seconds=ceiling / 2 + random.random() * ceiling / 2)  # noqa: S311


class NotTracked(LookupError):
    """This process does not track the model; during a deployment, another worker may."""


def is_held_back(failure: Exception) -> bool:
    """Whether the API never looked at the change (not reached, or 429), which says nothing against it."""
    if isinstance(failure, StreamApiException):
        return failure.status_code == 429
    return isinstance(failure, TransportException) and failure.unsent


def is_transient(failure: Exception) -> bool:
    """Whether the same request may succeed later without a change on our side."""
    # Whatever is not the API's JSON comes from something in between, such as a proxy's error page.
    if isinstance(failure, TransportException | InvalidResponse | NotTracked):
        return True
    # A database or file that the model's own code reads was not available.
    if isinstance(failure, OperationalError | InterfaceError | OSError):
        return True
    if isinstance(failure, StreamApiException):
        status = failure.status_code or 500
        # Refused credentials are a mistake in the settings, and say nothing against this change.
        return status >= 500 or status in (401, 403, 408, 429)
    return False


def reason_of(failure: Exception) -> str:
    """The failure, after what was noted on it, in words that every database can store."""
    parts = [*getattr(failure, "__notes__", ()), str(failure) or type(failure).__name__]
    return ": ".join(parts).replace("\0", " ").encode(errors="replace").decode()
