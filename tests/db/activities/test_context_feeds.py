"""Streams of one object, of one target and of one model."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from django_stream import feeds
from django_stream.checks import check_settings
from django_stream.feeds import feed_manager
from django_stream.tracking import drain, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def club(settings: Any) -> Group:
    settings.STREAM_CONTEXT_FEEDS = ("object", "target", "model")
    groups = {slug: {"kind": "flat"} for slug in ("object", "target", "model")}
    settings.STREAM_SERVER_FEED_GROUPS = settings.STREAM_SERVER_FEED_GROUPS | groups
    return Group.objects.create(name="chess")


def verbs(reader: Any) -> list[str]:
    return [one["verb"] for one in reader.page()]


def test_an_activity_is_in_the_feeds_of_what_it_is_about(ada: User, grace: User, club: Group) -> None:
    record(actor=ada, verb="joined", object=club)
    record(actor=ada, verb="invited", object=grace, target=club)
    drain()

    assert verbs(feeds.of_object(club)) == ["joined"]
    assert verbs(feeds.of_object(grace)) == ["invited"]
    assert verbs(feeds.of_target(club)) == ["invited"]
    assert verbs(feeds.of_model(Group)) == ["invited", "joined"]
    assert verbs(feeds.of_model(User)) == ["invited", "joined"]
    assert verbs(feeds.profile(ada)) == ["invited", "joined"]


def test_they_are_followed_like_others_and_an_activity_comes_once(
    ada: User, grace: User, club: Group
) -> None:
    for slug in ("user", "object", "target"):
        feed_manager.follow_feed(grace, slug, club)
    record(actor=ada, verb="joined", object=club, target=club)
    record(actor=club, verb="met")
    drain()

    assert verbs(feeds.timeline(grace)) == ["met", "joined"]


def test_what_is_withdrawn_leaves_them(ada: User, club: Group) -> None:
    joined = record(actor=ada, verb="joined", object=club)
    drain()
    joined.delete()
    drain()

    assert verbs(feeds.of_object(club)) == verbs(feeds.of_model(Group)) == []


def test_private_notices_never_get_there(ada: User, grace: User, club: Group) -> None:
    record(actor=ada, verb="whispered", object=club, to=grace, to_only=True)
    drain()

    assert verbs(feeds.of_object(club)) == verbs(feeds.of_model(User)) == []
    assert len(feeds.notifications(grace).page()) == 1


def test_without_the_setting_there_are_none(ada: User, club: Group, settings: Any) -> None:
    settings.STREAM_CONTEXT_FEEDS = ("target",)
    record(actor=ada, verb="joined", object=club, target=club)
    drain()

    assert (verbs(feeds.of_object(club)), verbs(feeds.of_target(club))) == ([], ["joined"])


def test_the_checks_name_what_is_wrong(settings: Any) -> None:
    settings.STREAM_CONTEXT_FEEDS = ["objects"]
    assert [one.id for one in check_settings()] == ["django_stream.E072"]
    settings.STREAM_CONTEXT_FEEDS = ["object"]
    assert [one.id for one in check_settings()] == ["django_stream.W013"]
