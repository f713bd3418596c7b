"""What single steps take, as it was measured and is kept beside this module."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

KEPT = Path(__file__).with_name("costs.json")


@dataclass(frozen=True)
class Cost:
    """Of one step: milliseconds of a core in Python and in PostgreSQL, and bytes of its log."""

    python: float
    database: float
    wal: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.python + other.python, self.database + other.database, self.wal + other.wal)

    def __sub__(self, other: Cost) -> Cost:
        return self + other * -1

    def __mul__(self, times: float) -> Cost:
        return Cost(self.python * times, self.database * times, self.wal * times)


@dataclass(frozen=True)
class Costs:
    """Everything that was measured."""

    measured: str
    """When and where."""
    save: Cost
    page: Cost
    drain: Cost
    """One, of a single activity without followers."""
    activity: Cost
    """One more in the same drain."""
    follower: Cost
    """One more follower whose timeline is written."""
    pulled: Cost
    """One more followed feed that is merged into a page, as it is above `PUSH_FOLLOWERS_MAX`."""
    follower_on_cluster: Cost
    """The same where timelines are on a Redis Cluster."""
    redis_follower: float
    """Milliseconds of a core of Redis for it."""
    wal_first_touch: float
    """Bytes of log of a timeline's entry, when its page was not yet written since the last checkpoint."""
    process_bytes: float
    """Memory of one that has served pages."""
    activity_bytes: float
    """On the disk, with indexes, and with all that is kept beside it."""
    entry_bytes: float
    follow_bytes: float
    redis_entry_bytes: float

    def save_to(self, path: Path = KEPT) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def kept(cls, path: Path = KEPT) -> Costs:
        found = json.loads(path.read_text())
        return cls(**{name: Cost(**one) if isinstance(one, dict) else one for name, one in found.items()})
