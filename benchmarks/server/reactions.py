"""Time adding a reaction where none and where very many are already there.

Run: `DATABASE_URL=... python -m benchmarks.server.reactions [--already 200000]`.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid

import django

KINDS_OF_WRITES = ("INSERT", "UPDATE", "DELETE")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--already", type=int, default=200_000)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    return compare(options.already)


def compare(already: int) -> int:
    from benchmarks.server import data
    from benchmarks.server.enrichment import react_in_bulk
    from benchmarks.server.measuring import medians, ratio
    from django_stream.server.actions.reactions import NewReaction, add

    data.prepare(10)
    quiet, popular = uuid.uuid4(), uuid.uuid4()
    react_in_bulk(popular, already)
    data.analyze()

    def like(activity: uuid.UUID) -> None:
        add(data.APP, NewReaction(kind="like", user_id="7", activity=activity))

    times = medians(
        {"none there": lambda: like(quiet), f"{already:,} there": lambda: like(popular)},
        rounds=10,
        per_round=10,
    )
    for name, seconds in times.items():
        print(f"  {name:<52} {seconds * 1e3:6.2f} ms")
    few, many = times.values()
    met = [
        ratio("with many over with none", many / few, 1.25),
        ratio("row writes", _writes(lambda: like(popular)), 3),
    ]
    return 0 if all(met) else 1


def _writes(call: object) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        call()
    texts = [query["sql"] for query in captured]
    return sum(
        text.startswith(KINDS_OF_WRITES) and "DO NOTHING" not in text and " OR IGNORE " not in text
        for text in texts
    )


if __name__ == "__main__":
    sys.exit(main())
