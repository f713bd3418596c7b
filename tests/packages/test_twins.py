"""Packages that change how models are saved do what they did, and feeds equal the tables.

Whatever is done to a tracked model is done to an untracked twin: the answers, the exceptions, the rows of
the package, and the columns are the same.
"""

from __future__ import annotations

import inspect
import pickle
import re
from importlib import import_module
from typing import Any, NamedTuple

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_stream.activities.managers import TrackedQuerySet
from django_stream.backends import get_client
from django_stream.database.querysets import all_rows
from django_stream.tracking import drain
from tests.packages import operations
from tests.packages.operations import Operation, feed_texts
from tests.packages.twins import models as twins

pytestmark = pytest.mark.django_db


class Case(NamedTuple):
    plain: Any
    tracked: Any
    operations: list[Operation]


CASES = {
    "safedelete": Case(twins.Bin, twins.BinFirst, operations.SAFEDELETE),
    "safedelete, ours last": Case(twins.Bin, twins.BinLast, operations.SAFEDELETE),
    "polymorphic": Case(twins.Item, twins.ItemFirst, operations.POLYMORPHIC),
    "polymorphic, ours last": Case(twins.Item, twins.ItemLast, operations.POLYMORPHIC),
    "simple_history": Case(twins.Chronicle, twins.ChronicleFirst, operations.HISTORY),
    "reversion": Case(twins.Draft, twins.DraftFirst, operations.REVERSION),
    "parler": Case(twins.Leaflet, twins.LeafletFirst, operations.PARLER),
    "parler, ours last": Case(twins.Leaflet, twins.LeafletLast, operations.PARLER),
    "modeltranslation": Case(twins.Sign, twins.SignFirst, operations.MODELTRANSLATION),
    "taggit": Case(twins.Photo, twins.PhotoFirst, operations.TAGGIT),
}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
steps = st.lists(
    st.tuples(st.integers(0, 999), st.integers(1, 3), st.sampled_from(["a", "b", "c"])), max_size=12
)


@cases
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_a_tracked_model_is_what_its_twin_is(case: Case, steps: list[tuple[int, int, str]]) -> None:
    with transaction.atomic(), time_machine.travel("2026-01-31T12:00Z", tick=False):
        ada = User.objects.create(username="ada")
        for which, number, text in [(0, 1, "a"), (0, 2, "b"), *steps]:
            operation = case.operations[which % len(case.operations)]
            check_step(case, operation, number, text, ada)
        transaction.set_rollback(True)
    ContentType.objects.clear_cache()


@cases
def test_each_operation(case: Case) -> None:
    """Also those that were not drawn; each twice, and with what others left behind."""
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        ada = User.objects.create(username="ada")
        for round_ in range(2):
            for operation in case.operations:
                check_step(case, case.operations[0], 1 + round_, "a", ada)
                check_step(case, operation, 1 + round_, "abc"[round_], ada)


def check_step(case: Case, operation: Operation, number: int, text: str, ada: User) -> None:
    expected, answer = (outcome(operation, one, number, text) for one in (case.plain, case.tracked))
    assert answer == expected, operation.__name__
    assert tables_of(case.tracked) == tables_of(case.plain), operation.__name__
    drain()
    assert feed_of(case.tracked, ada) == feed_texts(case.tracked), operation.__name__


def outcome(operation: Operation, model: Any, number: int, text: str) -> Any:
    """What an operation answers, or the kind of its exception."""
    try:
        with transaction.atomic():
            return plain(operation(model, number, text))
    except Exception as error:  # that it is the same is what matters
        return neutral(f"{type(error).__module__} {type(error).__qualname__}")


def plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        return neutral(type(value).__name__), value.pk
    if isinstance(value, dict):
        return {neutral(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | models.QuerySet):
        return [plain(one) for one in value]
    return neutral(value) if isinstance(value, str) else value


def neutral(text: str) -> str:
    """Without what tells one twin from the other."""
    return re.sub(r"(?<=[a-z])(First|Last|first|last)(?![a-z])", "", text)


def tables_of(model: Any) -> dict[str, list[Any]]:
    """All rows of the model, and of whatever tables the package keeps about it."""
    tables = {}
    for one in apps.get_models(include_auto_created=True):
        if one is model or model in related_models(one):
            tables[neutral(one.__name__)] = [
                columns_of(row) for row in all_rows(one, "default").order_by("pk")
            ]
    types = ContentType.objects.get_for_models(model, *model.__subclasses__()).values()
    for one in (apps.get_model("taggit.TaggedItem"), apps.get_model("reversion.Version")):
        rows = all_rows(one, "default").filter(content_type__in=types).order_by("pk")
        tables[one.__name__] = [columns_of(row) for row in rows]
    return tables


def related_models(one: Any) -> set[Any]:
    """The models that the rows of a table are about: parents, masters of translations, histories."""
    keys = {field.related_model for field in one._meta.get_fields() if field.many_to_one or field.one_to_one}
    return keys | {getattr(getattr(one, "instance_type", None), "_meta", None) and one.instance_type}


_UNEQUAL = {"history_id", "revision_id", "content_type_id", "polymorphic_ctype_id"}
"""Columns that hold a number of the other twin's kind."""


def columns_of(row: Any) -> dict[str, Any]:
    fields = [field for field in row._meta.concrete_fields if field.attname not in _UNEQUAL]
    if "title" not in {field.name for field in fields} or hasattr(row, "master_id"):
        fields = [field for field in fields if not field.primary_key or field.remote_field]
    return {neutral(field.attname): plain(field.value_from_object(row)) for field in fields}


def feed_of(model: Any, ada: User) -> dict[tuple[str, int], str]:
    found = get_client().feed("user", str(ada.pk)).get(limit=100)["results"]
    keys = [one["foreign_id"].removeprefix("twins.").split(":") for one in found]
    assert len({tuple(key) for key in keys}) == len(keys)
    return {(name, int(pk)): one["title"] for (name, pk), one in zip(keys, found, strict=True)}


@cases
def test_querysets_can_be_pickled(case: Case) -> None:
    User.objects.create(username="ada")
    operations.create(case.tracked, 1, "a")

    again = pickle.loads(pickle.dumps(case.tracked.objects.filter(pk=1)))

    assert isinstance(again, TrackedQuerySet)
    assert [row.pk for row in again] == [1]


def test_managers_are_those_of_the_twin() -> None:
    for case in CASES.values():
        names = [[one.name for one in model._meta.managers] for model in (case.plain, case.tracked)]
        assert names[0] == names[1]
        assert case.tracked._default_manager.name == case.plain._default_manager.name
        for name in names[0]:
            assert isinstance(case.tracked._meta.managers_map[name].get_queryset(), TrackedQuerySet)


def test_nothing_of_ours_stands_in_migrations() -> None:
    """And nothing is to be migrated, whatever managers and bases the models got from us."""
    written = import_module("tests.packages.twins.migrations.0001_initial")
    assert "django_stream" not in inspect.getsource(written)
    call_command("makemigrations", "twins", check=True, dry_run=True, verbosity=0)
