"""Processor time of a process and of all that it has started, which is the same on a busy machine."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def seconds(root: int) -> float:
    """Of a process and its descendants, with those that have ended and were waited for."""
    children: dict[int, list[int]] = defaultdict(list)
    taken: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (found := _fields(entry)):
            pid = int(entry.name)
            children[found[1]].append(pid)
            taken[pid] = sum(found[11:15]) * _TICK
    waiting, total = [root], 0.0
    while waiting:
        pid = waiting.pop()
        total += taken.get(pid, 0.0)
        waiting += children[pid]
    return total


def _fields(entry: Path) -> list[int]:
    """Those of /proc/PID/stat from the third on; the second one may have spaces. Empty when it has ended."""
    try:
        text = (entry / "stat").read_text()
    except OSError:
        return []
    return [int(one) if one.lstrip("-").isdecimal() else 0 for one in text.rpartition(")")[2].split()]
