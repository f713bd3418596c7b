"""Settings of the worst requests: the benchmarks' own, with a ranking and a folder for uploads."""

from benchmarks.server.settings import *  # noqa: F403
from benchmarks.server.settings import DATABASES

RANKING = {"popular": {"score": "decay_linear(time) * popularity ^ 0.5", "defaults": {"popularity": 1}}}
STREAM_SERVER_FEED_GROUPS = {
    "user": {"kind": "flat", "ranking": RANKING},
    "timeline": {"kind": "flat", "ranking": RANKING},
    "timeline_aggregated": {"kind": "aggregated"},
    "notification": {"kind": "notification"},
}
MEDIA_ROOT = "var/worst"
DATABASES["default"]["NAME"] = str(DATABASES["default"]["NAME"]).replace("tests.sqlite3", "worst.sqlite3")
