"""Triggers note changes on MariaDB, too."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest

from tests.services.processes import ROOT

pymysql = pytest.importorskip("pymysql", reason="the corner without extras")
pytestmark = pytest.mark.services


def test_triggers_of_mariadb_name_rows_as_publishers_do() -> None:
    name = f"stream_{uuid.uuid4().hex}"
    host = os.environ.get("MARIADB_HOST", "127.0.0.1")
    with pymysql.connect(host=host, user="root") as server, server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "tests.services.mariadb_capture", name],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=240,
            )
        finally:
            cursor.execute(f"DROP DATABASE {name}")
    assert "as expected" in done.stdout, done.stdout + done.stderr
