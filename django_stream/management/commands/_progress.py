"""Progress with rate and time left: a bar on terminals by `rich`, else a line every few seconds."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django_stream.management.commands._family import FamilyCommand

_EVERY = 5.0


class ProgressReport(ABC):
    """Told how many objects are done; the total is None where counting would cost too much."""

    @abstractmethod
    def at(self, done: int) -> None:
        """So many so far."""


class Lines(ProgressReport):
    """Plain lines, for logs and for terminals without `rich`."""

    def __init__(
        self,
        name: str,
        total: int | None,
        tell: Callable[..., None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._total, self._tell, self._clock = name, total, tell, clock
        self._begin = self._told = clock()

    def at(self, done: int) -> None:
        now = self._clock()
        if now - self._told < _EVERY:
            return
        self._told = now
        rate = done / (now - self._begin)
        left = max(self._total - done, 0) / rate if self._total is not None and rate else None
        text = f"  {self._name}: {done}" + (f" of {self._total}" if self._total is not None else "")
        text += f", {rate:.0f}/s" + ("" if left is None else f", {_duration(left)} left")
        facts: dict[str, Any] = {"model": self._name, "done": done, "of": self._total, "rate": round(rate, 1)}
        self._tell(text, **facts, seconds_left=None if left is None else round(left))


class Bar(ProgressReport):
    """A bar that `rich` draws."""

    def __init__(self, progress: Any, name: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=total)

    def at(self, done: int) -> None:
        self._progress.update(self._task, completed=done)


@contextmanager
def progress_of(command: FamilyCommand, name: str, total: int | None) -> Iterator[ProgressReport]:
    """Progress of one table."""
    if not command.shows_progress or (drawn := _rich()) is None:
        yield Lines(name, total, command.tell)
        return
    with drawn as progress:
        yield Bar(progress, name, total)


def _rich() -> Any:
    try:
        from rich import progress
    except ImportError:
        return None

    class Speed(progress.ProgressColumn):
        def render(self, task: Any) -> str:
            return f"{task.finished_speed or task.speed or 0:.0f}/s"

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        Speed(),
        progress.TimeRemainingColumn(),
        transient=True,
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
