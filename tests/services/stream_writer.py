"""Writes activities from a process of its own, some in transactions that stay open, some rolled back.

Arguments: name, how many, seed. Prints the objects that are committed, one a line.
"""

from __future__ import annotations

import random
import sys
import threading

import django

django.setup()

from django.db import OperationalError, transaction  # noqa: E402

from tests.contract.calling import Api  # noqa: E402


class Undone(Exception):
    """This transaction is rolled back."""


def main(name: str, count: int, seed: str) -> None:
    dice, api, number, never = random.Random(f"{seed}{name}"), Api(), 0, threading.Event()
    while number < count:
        size = min(dice.choice([1, 1, 5, 20]), count - number)
        objects = [f"{name}:{number + step}" for step in range(size)]
        undone = dice.random() < 0.1
        try:
            with transaction.atomic():
                items = [{"actor": name, "verb": "post", "object": one} for one in objects]
                api.made(f"feed/user/{name}/", {"activities": items})
                if dice.random() < 0.2:
                    never.wait(dice.random() / 20)
                if undone:
                    raise Undone
        except (Undone, OperationalError):  # SQLite is locked while others write
            continue
        number += size
        print("\n".join(objects), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
