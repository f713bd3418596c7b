"""Tests of what an extra switches on, which are skipped where the extra is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

PACKAGES = {
    "aggregation": ["jinja2"],
    "images": ["PIL"],
    "nats": ["nats"],
    "opengraph": ["lxml", "requests_hardened", "webencodings"],
    "opentelemetry": ["opentelemetry"],
    "prometheus": ["prometheus_client"],
    "spectacular": ["drf_spectacular"],
    "redis": ["redis"],
    "streams": ["uvicorn", "wsproto"],
}


def needs(extra: str) -> pytest.MarkDecorator:
    missing = any(find_spec(package) is None for package in PACKAGES[extra])
    return pytest.mark.skipif(missing, reason=f"needs the extra {extra}")
