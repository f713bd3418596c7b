"""The report of the benchmarks says of each row whether its target is met."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.report.rows import Row, in_turns
from benchmarks.report.writing import svg, table, write

ROWS = [
    Row("a page", 2.0, 2.5, against="by hand", limit=1.0),
    Row("a slow page", 3.0, 2.5, against="by hand", limit=1.0),
    Row("a page, so many times faster", 1.0, 3.5, against="a peer", limit=4.0, at_least=True),
    Row("statements", 25.0, 20, "statements"),
]


def test_each_row_stands_beside_its_target() -> None:
    assert [row.met for row in ROWS] == [True, False, True, False]
    assert table(ROWS)[2:] == [
        "| a page | 2 ms | by hand | 1 ms | 2.00x | ≤ 2.5x | met |",
        "| a slow page | 3 ms | by hand | 1 ms | 3.00x | ≤ 2.5x | **missed** |",
        "| a page, so many times faster | 1 ms | a peer | 4 ms | 4.00x faster | ≥ 3.5x | met |",
        "| statements | 25 statements |  |  |  | ≤ 20 statements | **missed** |",
    ]


def test_the_plot_has_a_bar_for_each_row() -> None:
    plot = ElementTree.fromstring(svg([*ROWS, Row("<&>", 1.0, 1.0)]))
    bars = list(plot.iter("{http://www.w3.org/2000/svg}rect"))[1:]
    assert len(bars) == 5
    assert float(bars[1].attrib["width"]) > float(bars[0].attrib["width"])


def test_the_page_names_what_is_met(tmp_path: Path) -> None:
    write(tmp_path, {"SQLite": ROWS}, ["a fact"])
    page = (tmp_path / "README.md").read_text()
    assert "2 of 4 targets met." in page
    assert "- a fact" in page
    assert (tmp_path / "sqlite.svg").exists()


def test_the_first_round_does_not_count() -> None:
    taken = iter([9.0, 0.001, 0.003, 0.002])
    assert in_turns({"one": lambda: next(taken)}, 3) == {"one": pytest.approx(2.0)}
