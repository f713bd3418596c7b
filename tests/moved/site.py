"""A copy of one of the sites beside this file, whose commands run in processes of their own.

It imports nothing of ours: the packages that the sites were written for run it, too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SITES = Path(__file__).resolve().parent / "sites"


class Site:
    """The files below `site/`, in a folder where they can be changed."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        for file in sorted((SITES / name / "site").rglob("*.txt")):
            target = folder / file.relative_to(SITES / name / "site").with_suffix("")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.read_text())
            if target.suffix == ".py" and target.parent != folder:
                (target.parent / "__init__.py").touch()
        (folder / "manage.py").write_text((SITES / "manage.txt").read_text())

    def edit(self) -> None:
        """What the page about moving says to change, in `edits.json` file by file."""
        for name, edits in json.loads((SITES / self.name / "edits.json").read_text()).items():
            file = self.folder / name
            text = file.read_text()
            for before, after in edits:
                assert before in text, before
                text = text.replace(before, after)
            file.write_text(text)

    def manage(self, *command: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}",
        }
        # The packages' own code is behind newer Pythons; ours is not.
        strict = ["-W", "error"] if "django_stream" in (self.folder / "settings.py").read_text() else []
        done = subprocess.run(
            [sys.executable, *strict, "manage.py", *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def script(self, name: str, *, paused: bool = False) -> str:
        """Run one of the site's scripts; `paused` is for rows of a time when nothing of ours was there."""
        text = (SITES / self.name / f"{name}.py.txt").read_text()
        if paused:
            body = "\n".join(f"    {line}" for line in text.splitlines())
            pause = "from django_stream.tracking import activities_paused\n\nwith activities_paused():\n"
            text = f"{pause}{body}\n"
        return self.manage("shell", "-c", text)

    def walked(self) -> dict[str, Any]:
        """What all pages of the site show, as `addresses.json` names them."""
        code = f"ADDRESSES = {self._addresses()!r}\n" + (SITES / "walk.txt").read_text()
        shown: dict[str, Any] = json.loads(self.manage("shell", "-c", code).splitlines()[-1])
        return shown

    def _addresses(self) -> list[tuple[str, str]]:
        found = json.loads((SITES / self.name / "addresses.json").read_text())
        return [(who, place) for who, places in found.items() for place in _spelt(places)]


def _spelt(places: list[Any]) -> list[str]:
    """`["/clubs/%d/", 1, 12]` is the twelve addresses from `/clubs/1/` on."""
    found: list[str] = []
    for place in places:
        if isinstance(place, str):
            found.append(place)
        else:
            address, first, count = place
            found += [address % number for number in range(first, first + count)]
    return found


def steps_of(page: str) -> list[str]:
    """The commands in the steps of a page about moving, in their order."""
    part = page.partition("## Steps")[2].partition("\n## ")[0]
    return re.findall(r"^ *python manage.py (\w+.*)$", part, re.MULTILINE)
