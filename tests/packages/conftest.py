"""These tests have environments and settings of their own: `make test-packages`."""

from __future__ import annotations

import os

SETTINGS = os.environ.get("DJANGO_SETTINGS_MODULE", "")

if SETTINGS == "tests.packages.settings":
    collect_ignore = ["shop", "tenants"]
elif SETTINGS == "tests.packages.shop.settings":
    collect_ignore = ["tenants", "test_twins.py"]
elif SETTINGS == "tests.packages.tenants.settings":
    collect_ignore = ["shop", "test_twins.py"]
else:
    collect_ignore_glob = ["*"]
