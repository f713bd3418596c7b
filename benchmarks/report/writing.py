"""The report as a page of tables, and a plot for each database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from benchmarks.report.rows import Row

_LINE, _LEFT, _WIDTH = 22, 470, 900
_GREEN, _RED = "#2e7d32", "#c62828"


def write(folder: Path, found: Mapping[str, Sequence[Row]], facts: Sequence[str]) -> None:
    """Write README.md and the plots into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = ["# Benchmarks", "", "Written by `make bench` or `make bench-quick`; do not edit.", ""]
    parts += [f"- {fact}" for fact in facts]
    for name, rows in found.items():
        plot = f"{name.lower().replace(' ', '-')}.svg"
        (folder / plot).write_text(svg(rows))
        met = sum(row.met for row in rows)
        parts += ["", f"## {name}", "", f"{met} of {len(rows)} targets met.", "", f"![{name}]({plot})", ""]
        parts += table(rows)
    (folder / "README.md").write_text("\n".join(parts) + "\n")


def table(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| what | ours | against | it | ratio | target | |",
        "| --- | ---: | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        other = "" if row.limit is None else figure(row.limit, row.unit)
        ratio = "" if row.limit is None else f"{row.value:.2f}x" + (" faster" if row.at_least else "")
        target = figure(row.target, row.unit) if row.limit is None else f"{row.target:g}x"
        sign = "≥" if row.at_least else "≤"
        verdict = "met" if row.met else "**missed**"
        ours = figure(row.ours, row.unit)
        lines.append(
            f"| {row.name} | {ours} | {row.against} | {other} | {ratio} | {sign} {target} | {verdict} |"
        )
    return lines


def figure(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def svg(rows: Sequence[Row]) -> str:
    """A bar for each row: how much of its target it takes; the line is the target."""
    height = _LINE * len(rows) + 30
    at = _LEFT + (_WIDTH - _LEFT) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{at}" y="14" text-anchor="middle">target</text>',
    ]
    for number, row in enumerate(rows):
        y = 20 + number * _LINE
        share = row.target / row.value if row.at_least else row.value / row.target
        width = min(share, 2) * (_WIDTH - _LEFT) / 2
        label = f"{row.name}{' against ' + row.against if row.against else ''}"
        label = label if len(label) < 76 else f"{label[:74]}…"
        parts += [
            f'<text x="{_LEFT - 6}" y="{y + 15}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{_LEFT}" y="{y + 3}" width="{width:.1f}" height="{_LINE - 6}" '
            f'fill="{_GREEN if row.met else _RED}"/>',
        ]
    parts.append(f'<line x1="{at}" x2="{at}" y1="18" y2="{height}" stroke="black" stroke-dasharray="4 3"/>')
    return "\n".join([*parts, "</svg>", ""])
