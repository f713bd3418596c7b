"""Makes the database of a site of tests/moved/sites, by the package that the site was written for:

    python make_site.py readers|desk

in an environment that has the package and a Django it runs on: django-activity-stream with Django 5.2, or
django-notifications-hq with 4.2. What comes out is the database as SQL, and what the pages of the site show.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

from tests.moved.site import Site  # noqa: E402


def made(name: str, folder: Path) -> dict:
    site = Site(name, folder)
    site.manage("migrate", "--verbosity", "0")
    site.script("before")
    shown = site.walked()
    with sqlite3.connect(folder / "db.sqlite3") as connection:
        return {"sql": list(connection.iterdump()), "shown": shown}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(made(sys.argv[1], Path(folder)), separators=(",", ":"))
    with gzip.GzipFile(HERE / f"{sys.argv[1]}.json.gz", "wb", mtime=0) as file:
        file.write(text.encode())
