"""Settings of a site where values of strangers are told by everything that can tell them."""

from pathlib import Path

URLS = "tests.any_json.urls"
TEMPLATES = Path(__file__).parent / "templates"
_RANKING = {"ranking": {"by_n": {"score": "n + decay_linear(time)", "defaults": {"n": 1}}}}
FEED_GROUPS = {
    "user": {"kind": "flat", **_RANKING},
    "timeline": {"kind": "flat", **_RANKING},
    "topic": {"kind": "flat"},
    "timeline_aggregated": {
        "kind": "aggregated",
        "aggregation_format": "{{ custom }}{{ custom.a.b }}{{ n }}",
    },
    "notification": {"kind": "notification"},
}
