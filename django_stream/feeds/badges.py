"""How many notifications wait, of those that a page can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django_stream.feeds.selection import Selection
from django_stream.protocol import limits

# Counts say 'new' of entries near the top. Where some are hidden, a page reads on as far, too.
_LOOKED_AT = 100
_LOOKED_AT_MOST = 500

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
    What is not looked at, since it is far down, counts only where nothing can be hidden, and where nothing
    that was met is shown as if it had been looked at.
    """
    waiting = {name: int(answer[name]) for name in MARKS if name in answer}
    counts = dict.fromkeys(waiting, 0)
    page, looked_at, most, told = answer, 0, _LOOKED_AT, False
    while any(waiting.values()):
        pairs = list(zip(page["results"], chosen or [None] * len(page["results"]), strict=True))
        entries = [pair for pair in pairs if _waits(pair[0], waiting)]
        known = [shown for _, shown in entries] if chosen else selection.choose([raw for raw, _ in entries])
        for (raw, _), shown in zip(entries, known, strict=True):
            for name in counts:
                if not raw[MARKS[name]]:
                    waiting[name] -= 1
                    # What is not shown, or is shown as if it had been looked at, counts no more.
                    counts[name] += shown is not None and not shown[MARKS[name]]
                    told |= shown is not None and shown[MARKS[name]]
            if shown is None or told:
                most = _LOOKED_AT_MOST
        looked_at += len(page["results"])
        # All at once: the next that waits may be the last of them.
        more = min(most - looked_at, limits.PAGE_MAX)
        if more <= 0 or not page["next"]:
            break
        page, chosen = read_on(page["next"], more), None
    left = {name: max(0, number) for name, number in waiting.items()}
    if not any(left.values()) or told or (page["next"] and selection.hides_some):
        return counts
    return {name: counts[name] + left[name] for name in counts}


def _waits(entry: Answer, waiting: Mapping[str, int]) -> bool:
    return any(waiting[name] > 0 and not entry[MARKS[name]] for name in waiting)
