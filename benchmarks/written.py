"""Parts of a page of the documentation that a benchmark writes, between two marks that nobody sees."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def rewrite(name: str, lines: Iterable[str], page: Path) -> None:
    """Put these lines between `<!-- name -->` and `<!-- end of name -->`; ValueError without these marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    text = page.read_text()
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page} has no place for {name}")
    page.write_text("".join([before, begin, "\n", *(f"{line}\n" for line in lines), "\n", end, after]))
