"""'Did you mean …?': the known name that a misspelt one is closest to."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

# A misspelt name shares at least this much with the right one.
_SIMILAR = 0.6
# Names whose similarity differs by less than this are offered together.
_TIE = 0.05


def similar_names(name: str, known: Iterable[str], *, at_least: float = _SIMILAR) -> list[str]:
    """The known names most similar to `name`: several in a tie, none when even the best has little in common.

    `at_least` is the required share of common characters, from 0 (nothing) to 1 (equal).
    """
    ratios = {one: SequenceMatcher(None, one, name).ratio() for one in known}
    best = max(ratios.values(), default=0.0)
    return [one for one, ratio in ratios.items() if ratio > best - _TIE] if best >= at_least else []


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """A hint for a message: 'Did you mean 'verb'?', or `otherwise`, by default a list of all known names."""
    known = list(known)
    if similar := similar_names(name, known):
        return f"Did you mean {' or '.join(map(repr, similar))}?"
    return f"Valid names: {', '.join(known)}." if otherwise is None else otherwise
