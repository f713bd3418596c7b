"""What single steps take here, and what sites of three sizes take by that: `python -m benchmarks.capacity`.

It runs on any machine with the programs of `make test-scale`: it counts time of the processor, so that other
work there changes little. With `--computed` nothing is measured, and the costs are those that were kept the
last time. All assumptions are options; prices are of any currency.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmarks.capacity import pulling, tables
from benchmarks.capacity.costs import Costs
from benchmarks.capacity.measure import measured, servers
from benchmarks.capacity.sites import Hardware, Load, Population, Prices
from benchmarks.written import rewrite

SIZES = (10_000, 1_000_000, 100_000_000)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--computed", action="store_true", help="with the costs that are kept")
    parser.add_argument("--write", type=Path, help="the page whose tables of this are written anew")
    parser.add_argument("--users", type=int, nargs="+", default=SIZES)
    parser.add_argument("--days", type=float, default=365.0, help="that everything is kept")
    for kind in (Population, Hardware, Prices):
        _options_of(kind, parser)
    options = parser.parse_args(arguments)
    if not options.computed:
        with servers():
            measured().save_to()
    for name, lines in _parts(options):
        if options.write:
            rewrite(name, lines, options.write)
        else:
            print("\n".join(lines))
    return 0


def _parts(options: argparse.Namespace) -> Iterator[tuple[str, Iterable[str]]]:
    costs, prices = Costs.kept(), _made(Prices, options)
    yield "measured costs", tables.measured(costs)
    yield "pulling", pulling.table(costs, prices)
    lines: list[str] = []
    for users in options.users:
        load = Load(_made(Population, options, users=users), costs, _made(Hardware, options), options.days)
        lines += ["", *tables.site(load, prices)]
    yield "computed sites", lines[1:]


def _options_of(kind: Any, parser: argparse.ArgumentParser) -> None:
    for field in fields(kind):
        if field.name != "users":
            name = f"--{field.name.replace('_', '-')}"
            parser.add_argument(name, type=type(field.default), default=field.default)


def _made(kind: Any, options: argparse.Namespace, **given: int) -> Any:
    names = {field.name for field in fields(kind)} - given.keys()
    return kind(**given, **{name: getattr(options, name) for name in names})


if __name__ == "__main__":
    sys.exit(main())
