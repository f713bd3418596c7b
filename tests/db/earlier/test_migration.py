"""A database that an earlier version made, with its demonstration in it, migrates: every feed is the same."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.extras import needs

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
READ = """
import json
from django_stream.backends import get_client
from django_stream.server.models import Feed

found = {}
for slug, owner in sorted(Feed.objects.values_list("slug", "user_id")):
    feed, pages, after = get_client().feed(slug, owner), [], {}
    while True:
        page = dict(feed.get(limit=25, **after))
        page.pop("duration", None)
        more = page.pop("next")
        pages.append(page)
        if not more or not page["results"]:
            break
        after = {"id_lt": page["results"][-1]["id"]}
    found[f"{slug}:{owner}"] = pages
    followers = feed.followers(limit=100)["results"]
    found[f"{slug}:{owner} followers"] = [one["feed_id"] for one in followers]
print(json.dumps(found, sort_keys=True, default=str))
"""


@needs("aggregation")
def test_feeds_are_the_same_and_nothing_is_sent_again(tmp_path: Path) -> None:
    file = tmp_path / "demo.sqlite3"
    with sqlite3.connect(file) as database:
        database.executescript(gzip.decompress((HERE / "demo.sql.gz").read_bytes()).decode())
    database.close()

    def manage(*command: str) -> str:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}", "PYTHONPATH": str(ROOT)}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("migrate", "--verbosity", "0")

    before = json.loads(gzip.decompress((HERE / "feeds.json.gz").read_bytes()))
    assert json.loads(manage("shell", "-v", "0", "--command", READ).splitlines()[-1]) == before
    # The example says other things of its posts and follows than it did then: these are sent, once.
    assert "72 sent, 43 were there already" in manage("stream_backfill")
    assert "0 sent, 115 were there already" in manage("stream_backfill")
    assert "38 sent, 0 were there already" in manage("stream_sync")
    assert "0 sent, 38 were there already" in manage("stream_sync")
