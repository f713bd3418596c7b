"""Every feed beside the tables: `python -m tests.services.comparison`.

Prints what differs, and then the counts as one line of JSON. The feeds are read through the API.
"""

from __future__ import annotations

import json
from collections import Counter

import django

_PRINTED = 30


def compare() -> Counter[str]:
    from django.contrib.auth.models import User

    from tests.expected_feeds import differences, wanted_feeds

    desired = wanted_feeds()
    counts = Counter(feeds=len(desired), entries=sum(map(len, desired.values())), differences=0)
    for found in differences(User.objects.values_list("pk", flat=True)):
        counts["differences"] += 1
        counts[found.kind] += 1
        if counts["differences"] <= _PRINTED:
            print(*found)
    return counts


def main() -> None:
    django.setup()
    print(json.dumps(compare()))


if __name__ == "__main__":
    main()
