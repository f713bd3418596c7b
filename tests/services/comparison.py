"""Every feed beside the tables: `python -m tests.services.comparison`.

Prints what differs, and then the counts as one line of JSON. The feeds are read through the API.
"""

from __future__ import annotations

import json
from collections import Counter

import django


def compare() -> Counter[str]:
    from django.contrib.auth.models import User

    from tests.truth import entries_of, wanted_feeds

    wanted = wanted_feeds()
    counts: Counter[str] = Counter(lost=0, duplicates=0, ghosts=0, misplaced=0)
    for owner in User.objects.values_list("pk", flat=True):
        for slug in ("user", "timeline", "notification"):
            found = list(entries_of(slug, owner))
            should, there = wanted.get(f"{slug}:{owner}", set()), set(found)
            for name, entries in (("lost", should - there), ("ghosts", there - should)):
                counts[name] += len(entries)
                for entry in sorted(entries, key=str)[:3]:
                    print(name, f"{slug}:{owner}", entry)
            counts["feeds"] += 1
            counts["entries"] += len(should)
            counts["duplicates"] += len(found) - len(there)
            times = [entry[3] for entry in found]
            counts["misplaced"] += slug != "notification" and times != sorted(times, reverse=True)
    return counts


def main() -> None:
    django.setup()
    print(json.dumps(compare()))


if __name__ == "__main__":
    main()
