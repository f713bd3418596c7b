"""What the drain costs beside its API, which only takes what it is told: on the database of DATABASE_URL."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator

import django


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.publishing.settings"
    django.setup()
    for row in rows(options.rows, options.rounds):
        print(json.dumps(row.as_json()), flush=True)


def rows(count: int, rounds: int) -> Iterator:  # type: ignore[type-arg]
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from benchmarks.publishing import measuring
    from benchmarks.report.rows import Row

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)
    users = [User.objects.create(username=f"user{number}") for number in range(10)]
    times = measuring.drain_creates(users, count, rounds)
    drained = times.pop("drain") * 1000
    for name, taken in times.items():
        yield Row(f"drain of {count:,}, an API of 0 ms", drained, 2.0, against=name, limit=taken * 1000)


if __name__ == "__main__":
    main()
