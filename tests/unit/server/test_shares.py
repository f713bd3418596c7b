"""Places that applications share: none has more because it came first."""

from __future__ import annotations

import random
from collections import Counter

from django_stream.server.streams.shares import Shares


def test_each_application_gets_its_share_however_many_ask() -> None:
    chance, shares = random.Random(7), Shares[tuple[int, int]]()
    there: set[tuple[int, int]] = set()
    for number in range(2000):
        # The first one asks for far more than the others.
        member = (chance.choice([1] * 20 + [2, 3, 4]), number)
        if shares.has_room(member[0], 12):
            shares.add(*member[:1], member)
            there.add(member)
            if (surplus := shares.take_surplus(12)) is not None:
                there.remove(surplus)
        assert len(shares) == len(there) <= 12
    assert Counter(application for application, _ in there) == {1: 3, 2: 3, 3: 3, 4: 3}


def test_one_application_alone_may_have_all_places() -> None:
    shares = Shares[str]()
    for member in "abc":
        assert shares.has_room(1, 3)
        shares.add(1, member)
    assert not shares.has_room(1, 3)
    assert shares.take_surplus(3) is None
    shares.discard(1, "b")
    shares.discard(1, "b")
    assert (len(shares), shares.has_room(1, 3)) == (2, True)
