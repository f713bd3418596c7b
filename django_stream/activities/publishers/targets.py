"""Sending to targets of which some may not be there: the rest gets what is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django_stream.activities.publishers.sending import Sender
from django_stream.client.exceptions import FeedConfigException
from django_stream.protocol.feed_ids import FeedID
from django_stream.publishing.publisher import Change, Desired

if TYPE_CHECKING:
    from django_stream.client import StreamClient


class LeftOut(ValueError):
    """Something went out, and some of its targets did not get it."""


class TargetSender(Sender):
    """Leaves out targets whose feed group is not configured, and says so at the end."""

    def __init__(self, client: StreamClient) -> None:
        super().__init__()
        self.client = client
        self._configured: dict[str, bool] = {}
        """Feed groups of targets, as far as they had to be asked for."""

    def sparing_targets(self, targets: Sequence[str], send: Callable[[], Any]) -> None:
        """Send; when a target's group is not configured, send again without it, and not nothing at all."""
        try:
            send()
        except FeedConfigException:
            missing = [name for name in targets if not self._is_configured(name)]
            if not missing:
                raise
            send()

    def _is_configured(self, target: str) -> bool:
        feed = FeedID.parse(target)
        if feed.slug not in self._configured:
            try:
                self.client.feed(feed.slug, feed.user_id).get(limit=1)
            except FeedConfigException:
                self._configured[feed.slug] = False
            else:
                self._configured[feed.slug] = True
        return self._configured[feed.slug]

    def served(self, targets: Sequence[str]) -> list[str]:
        """Without those whose group is known to be missing."""
        return [name for name in targets if self._configured.get(FeedID.parse(name).slug, True)]

    def report_targets(self, changes: list[Change], targets_of: Callable[[Desired], list[str]]) -> None:
        """Changes of which everything was sent but to some targets fail for that reason."""
        for change in changes:
            if change.desired is None or change.key in self.failures:
                continue
            wanted = targets_of(change.desired)
            if left_out := [name for name in wanted if name not in self.served(wanted)]:
                self.failures[change.key] = LeftOut(
                    f"published, but not to {', '.join(left_out)}: the API has no such feed group; "
                    "configure it, then retry parked changes"
                )
            elif change.desired.problem:
                self.failures[change.key] = LeftOut(change.desired.problem)
