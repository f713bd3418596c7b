"""Whom mutes and blocks hide is found by one statement, whatever their foreign keys lead to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_stream.activities.relations import Relation
from django_stream.database import instances
from tests.testapp.models import Block, Brand, Fan, Mute

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("many", [0, instances.MOST])
def test_a_block_is_mutual_and_a_mute_is_not(
    many: int, make_user: Callable[[str], User], django_assert_num_queries: Any
) -> None:
    viewer, *others = (make_user(name) for name in ("ada", "grace", "mia", "eve"))
    grace, mia, eve = others
    for model in (Mute, Block):
        model.objects.create(by=viewer, of=grace)
        model.objects.create(by=mia, of=viewer)
        model.objects.create(by=eve, of=mia)
    asked = [one.pk for one in others] + [-number for number in range(many)]

    for model, hidden in ((Mute, {grace.pk}), (Block, {grace.pk, mia.pk})):
        with django_assert_num_queries(1):
            found = Relation(model, "by", "of", is_block=model is Block).hidden_among(viewer, asked)
        assert found == hidden


def test_foreign_keys_may_lead_to_other_columns(ada: User, grace: User) -> None:
    brands = [Brand.objects.create(code="plain")]
    # Its code is the key of the other one.
    brands.append(Brand.objects.create(code=str(brands[0].pk)))
    Fan.objects.create(follower=ada, followed=brands[1])
    mutes = Relation(Fan, "follower", "followed", is_block=False)

    assert mutes.hidden_among(ada, [one.pk for one in brands]) == {brands[1].pk}
    assert mutes.hidden_among(grace, [one.pk for one in brands]) == set()
