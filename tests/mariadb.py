"""A driver for MariaDB that needs no compiler."""

from __future__ import annotations

import uuid

import pymysql
from pymysql.converters import conversions, encoders


def stand_in() -> None:
    """Let it stand in for mysqlclient, which Django asks for; unless that is there."""
    try:
        import MySQLdb
    except ImportError:
        MySQLdb = pymysql
    if MySQLdb is not pymysql:
        return
    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()
    for known in (conversions, encoders):
        known[uuid.UUID] = lambda value, mapping: f"'{value}'"
