"""One pass over a batch of changes, in which a failure stops its own change and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django_stream.client.exceptions import StreamApiException, TransportException
from django_stream.publishing.publisher import Change, Refused
from django_stream.publishing.retry import is_transient


class Sender:
    """Collects the failures by key; later steps skip a change that has failed."""

    def __init__(self) -> None:
        self.failures: dict[str, Exception] = {}
        self._touched: set[str] = set()
        self._out_of_reach: TransportException | None = None

    def one(self, change: Change, call: Callable[[], Any]) -> None:
        """Send something for a single change."""
        if change.key in self.failures or self._spared([change]):
            return
        try:
            call()
        except Exception as error:
            self._fail([change], error)
        else:
            self._touched.add(change.key)

    def batch(self, changes: Sequence[Change], size: int, send: Callable[[Sequence[Change]], Any]) -> None:
        """Send in batches; one that is refused is sent again one by one, to find the one at fault."""
        waiting = [change for change in changes if change.key not in self.failures]
        for start in range(0, len(waiting), size):
            part = waiting[start : start + size]
            if self._spared(part):
                continue
            try:
                send(part)
            except Exception as error:
                if len(part) == 1 or is_transient(error):
                    self._fail(part, error)
                else:
                    self.batch(part, 1, send)
            else:
                self._touched.update(change.key for change in part)

    def _fail(self, changes: Sequence[Change], error: Exception) -> None:
        refused = isinstance(error, StreamApiException) and not is_transient(error)
        for change in changes:
            untouched = refused and change.key not in self._touched
            self.failures[change.key] = Refused(error) if untouched else error
        if isinstance(error, TransportException):
            self._out_of_reach = error if error.unsent else _never_sent(error)

    def _spared(self, changes: Sequence[Change]) -> bool:
        """A backend out of reach is not called again in this pass: each call would cost a whole timeout."""
        if self._out_of_reach is not None:
            self.failures |= dict.fromkeys((change.key for change in changes), self._out_of_reach)
        return self._out_of_reach is not None


def _never_sent(before: TransportException) -> TransportException:
    """The error of changes that were not sent, since a call before them had failed."""
    return TransportException(f"not sent, since the call before it failed: {before}", unsent=True)
