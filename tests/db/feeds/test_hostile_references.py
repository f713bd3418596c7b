"""Anybody may write a reference to a row into an activity, of any model and with any key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import RequestFactory
from django.test.utils import isolate_apps

from django_stream import feeds
from django_stream.activities.model_references import clean_pk
from django_stream.feeds.enrichment import Enrich
from django_stream.syndication import AtomView
from tests.contract.calling import ok

pytestmark = [pytest.mark.django_db, pytest.mark.tables]

PLAIN = (
    *("AutoField", "BigAutoField", "SmallAutoField", "PositiveSmallIntegerField", "BooleanField"),
    *("TextField", "SlugField", "FloatField", "DateField", "DateTimeField", "TimeField", "DurationField"),
    *("UUIDField", "GenericIPAddressField", "JSONField", "BinaryField"),
)
KEYS: dict[str, dict[str, Any]] = {
    **{name: {} for name in PLAIN},
    "CharField": {"max_length": 5},
    "DecimalField": {"max_digits": 6, "decimal_places": 2},
}
HOSTILE = [
    *("", " ", "x", "\0", "\ud800", "é", "٣", "NaN", "sNaN", "Infinity", "-0", "1_0", "1e400", "1e9999999"),
    *(
        "9" * 30,
        "-" + "9" * 30,
        "32768",
        "-1",
        "1.5",
        "0.001",
        "9" * 5000,
        "true",
        "None",
        "null",
        "[1]",
        "{}",
    ),
    *(
        "0001-01-01",
        "9999-12-31",
        "2026-02-30",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999-14:00",
    ),
    *("2026-01-01T00:00:00", "24:00", "999999999 00:00:00", "-999999999 23:59:59.999999", "P9999999999D"),
    *("00000000-0000-0000-0000-000000000000", "{" + "0" * 32 + "}", "::1", "1.2.3.4", "::ffff:1.2.3.4", "YQ"),
    *("[" * 100_000, '["1","2"]', '[{"a":1}]', "x" * 100_000),
]


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Iterator[type[models.Model]]:
    """A model that has such a key and nothing else, and its table."""
    name = request.param
    meta = type("Meta", (), {"app_label": "testapp", "db_table": "a_table_of_keys"})
    with isolate_apps("tests.testapp"):
        key = getattr(models, name)(primary_key=True, **KEYS[name])
        made = type(name, (models.Model,), {"__module__": __name__, "Meta": meta, "key": key})
    kind, column = str(key.rel_db_type(connection)), connection.ops.quote_name("key")
    # MariaDB takes the beginning of a long one for a key.
    begin = "(200)" if kind.startswith("long") or (kind == "json" and connection.vendor == "mysql") else ""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE a_table_of_keys ({column} {kind}, PRIMARY KEY ({column}{begin}))")
    yield made
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE a_table_of_keys")


@pytest.mark.parametrize("model", KEYS, indirect=True)
def test_whatever_is_written_in_place_of_a_key_is_a_missing_row(model: type[models.Model]) -> None:
    for text in HOSTILE:
        pk = clean_pk(model, text)
        if pk is not None:
            assert Enrich().fetch_model_instances(model, [pk]) == {}, text
            assert not model._default_manager.filter(pk=pk).exists(), text


@pytest.mark.parametrize("key", ["a,b", "", " ", "x" * 240, "\x01", "%00", "None", "00000000", "é/?&"])
def test_what_is_no_id_of_an_activity_spoils_no_page(key: str, ada: User, rf: RequestFactory) -> None:
    """The API looks for all activities of a page by one call, and refuses it for an id that can be none."""
    author = f"auth.User:{ada.pk}"
    for name in ("actor", "object", "target"):
        activity = {"actor": author, "verb": "like", "object": "o", name: f"SA:{key}"}
        ok("POST", f"feed/user/{ada.pk}/", activity)
    liked = ok("POST", f"feed/user/{ada.pk}/", {"actor": author, "verb": "tweet", "object": "t"})
    ok("POST", f"feed/user/{ada.pk}/", {"actor": author, "verb": "like", "object": f"SA:{liked['id']}"})

    assert len(feeds.profile(ada).page()) == 5
    assert (
        AtomView.as_view(reader=lambda request: feeds.profile(ada), title="x")(rf.get("/")).status_code == 200
    )
