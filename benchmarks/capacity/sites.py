"""What a site of a size does, and what that takes: arithmetic alone, from costs and assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, log, log10

from benchmarks.capacity.costs import Cost, Costs

_DAY = 86_400.0
_GB = 1e9
_PAGE = 8192


@dataclass(frozen=True)
class Population:
    """Who is there and what they do on a day: assumptions, of which each site has its own."""

    users: int
    active: float = 0.2
    """The share that comes on a day; in a week it is twice as many."""
    posts: float = 0.5
    """Of an active user and day."""
    pages: float = 10.0
    follows: int = 100
    """Of each user. How many follow somebody is a power law: the second one has half as many as the first."""
    peak: float = 3.0
    """The busiest hour, over the mean."""

    def a_second(self, of_each: float) -> float:
        """On average, of what each active user does so often a day."""
        return self.users * self.active * of_each / _DAY

    @cached_property
    def most_followers(self) -> int:
        return int(min(self.users, self._scale))

    @property
    def _scale(self) -> float:
        return self.users * self.follows / _harmonic(self.users)

    def share_above(self, most: float) -> float:
        """Of all follows, those of somebody with more followers than this."""
        if most >= self.most_followers:
            return 0.0
        rank = min(self._scale / max(most, 1.0), self.users)
        # Nobody has more followers than there are users.
        capped = min(max(self._scale / self.users, 1.0), rank)
        above = capped * self.most_followers + self._scale * (_harmonic(rank) - _harmonic(capped))
        return min(above / (self.users * self.follows), 1.0)

    def push_followers_max(self, merged: float = 20.0) -> int:
        """The lowest number with which the mean reader follows at most so many feeds that are merged."""
        low, high = 1.0, float(self.most_followers)
        while high / low > 1.01:
            middle = (low * high) ** 0.5
            low, high = (middle, high) if self.share_above(middle) * self.follows > merged else (low, middle)
        return int(ceil(high / 10 ** (size := int(log10(high)) - 1)) * 10**size)


def _harmonic(number: float) -> float:
    return log(number) + 0.5772 + 1 / (2 * number)


@dataclass(frozen=True)
class Hardware:
    """What one can have, and how far one goes: assumptions."""

    utilisation: float = 0.5
    """Of the cores in the busiest hour."""
    database_cores: int = 64
    database_disk: float = 16_000.0
    """GB."""
    database_log: float = 200.0
    """MB a second that the disk of the log takes."""
    machine_cores: int = 8
    """Of one that has everything."""


@dataclass(frozen=True)
class Prices:
    """Of any currency."""

    core_hour: float = 0.04
    disk_gb_month: float = 0.10
    memory_gb_month: float = 3.0


@dataclass(frozen=True)
class Load:
    """What a population takes in its busiest hour, and after so many days."""

    of: Population
    costs: Costs
    hardware: Hardware = Hardware()
    days: float = 365.0
    push_followers_max: int | None = None
    on_cluster: bool = False
    length: int = 1000
    """`STREAM_SERVER_TIMELINES_LENGTH`."""

    @property
    def posts(self) -> float:
        """A second, in the busiest hour, like all that follows."""
        return self.of.a_second(self.of.posts) * self.of.peak

    @property
    def pages(self) -> float:
        return self.of.a_second(self.of.pages) * self.of.peak

    @property
    def entries(self) -> float:
        """Of followers' timelines."""
        most = float("inf") if self.on_cluster or not self.push_followers_max else self.push_followers_max
        return self.posts * self.of.follows * (1 - self.of.share_above(most))

    @property
    def drain_share(self) -> float:
        """Of posts that have a drain alone: a process is sent at most 20 nudges a second."""
        return min(1.0, 20.0 / self.posts)

    @property
    def web(self) -> float:
        """Busy cores."""
        return (self.posts * self.costs.save.python + self.pages * self.costs.page.python) / 1000

    @property
    def workers(self) -> float:
        return (self.posts * self._published("python") + self.entries * self._follower.python) / 1000

    @property
    def writes(self) -> float:
        """Busy cores of the primary, without those of pages."""
        of_posts = self.costs.save.database + self._published("database")
        return (self.posts * of_posts + self.entries * self._follower.database) / 1000

    @property
    def reads(self) -> float:
        """Busy cores of pages, on the primary or on replicas."""
        merged = 0.0
        if self.push_followers_max is not None and not self.on_cluster:
            merged = self.of.share_above(self.push_followers_max) * self.of.follows
        return self.pages * (self.costs.page.database + merged * self.costs.pulled.database) / 1000

    @property
    def redis(self) -> float:
        return self.entries * self.costs.redis_follower / 1000 if self.on_cluster else 0.0

    @property
    def log_least(self) -> float:
        """MB a second, where every page was written since the last checkpoint."""
        of_posts = self.costs.save.wal + self._published("wal")
        return (self.posts * of_posts + self.entries * self._follower.wal) / 1e6

    @property
    def log_most(self) -> float:
        """The same where none was: each entry of a timeline takes a whole page into the log."""
        first_touch = 0.0 if self.on_cluster else self.costs.wal_first_touch - self._follower.wal
        return self.log_least + self.entries * max(first_touch, 0.0) / 1e6

    @property
    def record(self) -> float:
        """GB on the disk, after the days: activities and follows."""
        activities = self.posts / self.of.peak * _DAY * self.days * self.costs.activity_bytes
        return self.follows + activities / _GB

    @property
    def follows(self) -> float:
        """GB on the disk, from the first day on."""
        return self.of.users * self.of.follows * self.costs.follow_bytes / _GB

    @property
    def full_after(self) -> float:
        """Days until the largest disk of a primary is full."""
        a_day = (self.record - self.follows + self.timelines) / self.days
        return max(self.hardware.database_disk - self.follows, 0.0) / a_day

    @property
    def timelines(self) -> float:
        """GB on the disk, after the days."""
        if self.on_cluster:
            return 0.0
        return self.entries / self.of.peak * _DAY * self.days * self.costs.entry_bytes / _GB

    @property
    def redis_memory(self) -> float:
        """GB of masters and a replica of each: full timelines of all who came in a week."""
        readers = self.of.users * min(2 * self.of.active, 1.0)
        return 2 * readers * self.length * self.costs.redis_entry_bytes / _GB if self.on_cluster else 0.0

    @property
    def largest_seconds(self) -> float:
        """Until a post of whoever has most followers is with the last one, by one worker."""
        most = self.of.most_followers
        if self.push_followers_max is not None and not self.on_cluster:
            most = min(most, self.push_followers_max)
        return most * (self._follower.python + self._follower.database) / 1000

    @property
    def busy(self) -> dict[str, float]:
        """Cores, by who keeps them so."""
        found = {
            "web processes": self.web,
            "workers": self.workers,
            "the primary": self.writes,
            "the database, for pages": self.reads,
            "masters of Redis": self.redis,
        }
        return {name: cores for name, cores in found.items() if cores}

    @property
    def memory(self) -> float:
        """GB that the database should have: what a week's readers and posts touch."""
        readers = self.of.users * min(2 * self.of.active, 1.0)
        timelines = 0 if self.on_cluster else readers * 2 * _PAGE
        week = 7 * _DAY * self.posts / self.of.peak * self.costs.activity_bytes
        return (timelines + week + readers * self.costs.follow_bytes) / _GB

    def cores(self, busy: float) -> int:
        """To be had for so many busy ones."""
        return max(ceil(busy / self.hardware.utilisation), 1)

    @property
    def cores_apart(self) -> int:
        """To be had where each has machines of its own."""
        return sum(map(self.cores, self.busy.values()))

    def money(self, prices: Prices, cores: int) -> float:
        """A month, with a second copy of all that is on the disk."""
        disk = 2 * (self.record + self.timelines)
        memory = self.memory + self.redis_memory + cores * self.costs.process_bytes / _GB
        return cores * 730 * prices.core_hour + disk * prices.disk_gb_month + memory * prices.memory_gb_month

    @property
    def _follower(self) -> Cost:
        return self.costs.follower_on_cluster if self.on_cluster else self.costs.follower

    def _published(self, what: str) -> float:
        alone, more = getattr(self.costs.drain, what), getattr(self.costs.activity, what)
        return float(more + (alone - more) * self.drain_share)
