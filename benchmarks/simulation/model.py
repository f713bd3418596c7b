"""A site in simulated time: web processes and workers share the cores of one machine."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.simulation.population import Step


@dataclass(frozen=True)
class Costs:
    """Seconds on an idle machine, database and disk included."""

    saves: Sequence[float]
    """One that was measured is as likely as any other: slow ones too, as often as they were."""
    pages: Sequence[float]
    batch: float
    """A drain, whatever it finds."""
    activity: float
    """One more row of a drain, without followers."""
    follower: float
    """One more follower of its author."""
    look: float = 0.0
    """A drain that finds nothing."""
    drains: Sequence[float] = (1.0,)
    """How many times longer than their median the same drains took."""
    cores: float = 1.0
    """So many are busy while one of these is at work; the disk keeps none."""


@dataclass(frozen=True)
class Machine:
    """What the site runs on."""

    cores: int = 2
    web: int = 1
    workers: int = 1
    looks_every: float = 0.02
    """Seconds after which a worker that found nothing looks again."""
    batch_size: int = 100


@dataclass
class Outcome:
    """What people notice of it, in seconds; and how many cores were busy on average."""

    lags: list[float] = field(default_factory=list)
    """From a post to its place in the last timeline."""
    pages: list[float] = field(default_factory=list)
    load: float = 0.0


@dataclass
class _Server:
    """One process: what it works on, and what that still takes of a core."""

    left: float = 0.0
    worked: float = 0.0
    """Seconds so far."""
    rest: float = 0.0
    """A worker that sleeps notices so much later that there is work."""
    was_at_work: float = -1.0
    """When it ended what it had."""
    steps: list[Step] = field(default_factory=list)


class Simulation:
    """Runs through the steps; each process takes what waits in order, as soon as it is free."""

    def __init__(
        self, steps: Sequence[Step], followers: Sequence[int], costs: Costs, on: Machine, seed: int = 1
    ) -> None:
        self._coming, self._followers, self._costs, self._machine = deque(steps), followers, costs, on
        self._web = [_Server() for _ in range(on.web)]
        self._workers = [_Server() for _ in range(on.workers)]
        self._asked: deque[Step] = deque()
        self._outbox: deque[Step] = deque()
        self._now = self._busy = 0.0
        self._chance = random.Random(seed)
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """To the end of the last step's consequences."""
        while self._coming or self._asked or self._outbox or self._at_work():
            self._begin()
            self._advance()
        if self._now:
            self._outcome.load = (self._busy + self._looking()) * self._costs.cores / self._now
        return self._outcome

    def _looking(self) -> float:
        """Seconds of workers that find nothing."""
        look = self._costs.look
        idle = sum(self._now - one.worked for one in self._workers)
        return idle * look / (self._machine.looks_every + look) if look else 0.0

    def _at_work(self) -> list[_Server]:
        return [one for one in (*self._web, *self._workers) if one.steps]

    def _begin(self) -> None:
        for one in self._web:
            if not one.steps and self._asked:
                step = self._asked.popleft()
                measured = self._costs.saves if step.is_post else self._costs.pages
                one.steps, one.left = [step], self._chance.choice(measured)
        for one in self._workers:
            if not one.steps and self._outbox:
                size = min(len(self._outbox), self._machine.batch_size)
                one.steps = [self._outbox.popleft() for _ in range(size)]
                usual = self._costs.batch + sum(map(self._published, one.steps))
                one.left = usual * self._chance.choice(self._costs.drains)
                slept = one.was_at_work < self._now
                one.rest = self._chance.uniform(0, self._machine.looks_every) if slept else 0.0

    def _published(self, step: Step) -> float:
        return self._costs.activity + self._followers[step.user] * self._costs.follower

    def _advance(self) -> None:
        """To whatever comes next: somebody's step, or the end of some work."""
        at_work = self._at_work()
        speed = min(1.0, self._machine.cores / len(at_work)) if at_work else 1.0
        until = [one.left / speed for one in at_work]
        if self._coming:
            until.append(max(self._coming[0].moment - self._now, 0.0))
        passed = min(until)
        self._now += passed
        self._busy += passed * speed * len(at_work)
        for one in at_work:
            one.worked += passed
            one.left -= passed * speed
            if one.left <= 1e-9:
                self._end(one)
        while self._coming and self._coming[0].moment <= self._now:
            self._asked.append(self._coming.popleft())

    def _end(self, one: _Server) -> None:
        for step in one.steps:
            since = self._now - step.moment
            if one in self._workers:
                self._outcome.lags.append(since + one.rest)
            elif step.is_post:
                self._outbox.append(step)
            else:
                self._outcome.pages.append(since)
        one.steps, one.was_at_work = [], self._now
