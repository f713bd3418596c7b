"""Databases that other packages made (by make.py), put into the database of a test."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection

HERE = Path(__file__).parent


def load(package: str) -> dict[str, Any]:
    """Make the package's tables with their rows; returns what the package showed of them."""
    made: dict[str, Any] = json.loads(gzip.decompress((HERE / f"{package}.json.gz").read_bytes()))
    User.objects.bulk_create(User(**one) for one in made["users"])
    Group.objects.bulk_create(Group(**one) for one in made["groups"])
    with connection.cursor() as cursor:
        for statement in made["statements"][connection.vendor]:
            cursor.execute(statement)
        for table, found in made["tables"].items():
            names = found["columns"]
            marks = ", ".join(["%s"] * len(names))
            columns = ", ".join(f'"{name}"' for name in names)
            values = [list(map(_stored, names, row, [made["types"]] * len(names))) for row in found["rows"]]
            cursor.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', values)
    shown: dict[str, Any] = made["shown"]
    return shown


def _stored(name: str, value: Any, types: dict[str, list[str]]) -> Any:
    """A value as the package has stored it, with the keys of content types as they are here."""
    if name.endswith("content_type_id") and value is not None:
        label = types[str(value)]
        return ContentType.objects.get_by_natural_key(*label).pk
    return json.dumps(value) if isinstance(value, dict) else value


def stored_by_stream_framework() -> dict[str, Any]:
    """The keys of a Redis that Stream-Framework has filled, and what it shows of them."""
    made: dict[str, Any] = json.loads(gzip.decompress((HERE / "stream_framework.json.gz").read_bytes()))
    return made
