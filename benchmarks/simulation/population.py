"""Who is followed by how many, and when people post and read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple


class Step(NamedTuple):
    """What one person does at one moment, in seconds from the beginning."""

    moment: float
    user: int
    is_post: bool


def power_law(users: int, follows_each: int, exponent: float = 1.0) -> list[int]:
    """How many follow each user: the second one has half as many followers as the first, with exponent 1."""
    weights = [1 / (rank + 1) ** exponent for rank in range(users)]
    scale = users * follows_each / sum(weights)
    return [min(users - 1, round(scale * weight)) for weight in weights]


def day(
    users: int, posts_per_second: float, pages_per_second: float, seconds: float, seed: int
) -> list[Step]:
    """The steps of so many seconds, at random distances; everybody posts and reads alike."""
    chance = random.Random(seed)
    posts = _at_random(chance, users, posts_per_second, seconds, is_post=True)
    pages = _at_random(chance, users, pages_per_second, seconds, is_post=False)
    return sorted([*posts, *pages])


def _at_random(
    chance: random.Random, users: int, rate: float, seconds: float, *, is_post: bool
) -> Sequence[Step]:
    steps, moment = [], 0.0
    while rate and (moment := moment + chance.expovariate(rate)) < seconds:
        steps.append(Step(moment, chance.randrange(users), is_post))
    return steps
