"""How many notifications wait, of those that a page can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django_stream.feeds.selection import Selection

# Counts say 'new' of entries near the top. Beyond these, the server's number is taken as it is.
_LOOKED_AT = 100

MARKS = {"unseen": "is_seen", "unread": "is_read"}

Answer = Mapping[str, Any]


def shown_counts(
    answer: Answer,
    chosen: Sequence[Any] | None,
    selection: Selection,
    read_on: Callable[[str, int], Answer],
) -> dict[str, int]:
    """The counts of an answer without entries of which nothing can be shown.

    `answer` begins at the top of the feed, and `chosen` is what was shown of it, if that is known; `read_on`
    reads so many entries after a `next`. Entries that neither wait to be seen nor to be read cost nothing.
    """
    counts = {name: int(answer[name]) for name in MARKS if name in answer}
    waiting, hidden = dict(counts), dict.fromkeys(counts, 0)
    page, looked_at = answer, 0
    while any(waiting.values()):
        pairs = list(zip(page["results"], chosen or [None] * len(page["results"]), strict=True))
        entries = [pair for pair in pairs if _waits(pair[0], waiting)]
        known = [shown for _, shown in entries] if chosen else selection.choose([raw for raw, _ in entries])
        for (raw, _), shown in zip(entries, known, strict=True):
            for name in counts:
                if not raw[MARKS[name]]:
                    waiting[name] -= 1
                    # What is not shown, or is shown as if it had been looked at, counts no more.
                    hidden[name] += shown is None or shown[MARKS[name]]
        looked_at += len(page["results"])
        # All at once: the next that waits may be the last of them.
        more = _LOOKED_AT - looked_at
        if more <= 0 or not page["next"]:
            break
        page, chosen = read_on(page["next"], more), None
    return {name: max(0, counts[name] - hidden[name]) for name in counts}


def _waits(entry: Answer, waiting: Mapping[str, int]) -> bool:
    return any(waiting[name] > 0 and not entry[MARKS[name]] for name in waiting)
