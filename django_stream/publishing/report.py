"""The outcome of a drain, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class DrainReport:
    """Objects brought up to date, to be tried again, and given up for now."""

    published: int = 0
    failed: int = 0
    parked: int = 0
    unchanged: int = 0
    """Those of the published that were there already."""
    kept_out: int = 0
    """Those of the published that are in no feed and were in none, since their rows do not publish."""
    overtaken: int = 0
    """Objects whose lease ran out and that another worker took over; that worker reports them."""
    out_of_reach: bool = False
    """The backend could not be called; the drain ended there."""
    more: bool = False
    """The drain ended at its limit of batches; more may be due."""

    def __add__(self, other: DrainReport) -> DrainReport:
        return DrainReport(
            self.published + other.published,
            self.failed + other.failed,
            self.parked + other.parked,
            self.unchanged + other.unchanged,
            self.kept_out + other.kept_out,
            self.overtaken + other.overtaken,
            self.out_of_reach or other.out_of_reach,
            self.more or other.more,
        )
