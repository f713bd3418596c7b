"""What tags, JSON and public forms cost, pinned at two sizes; an address without a pin fails the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.template import engines
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from django_stream import feeds
from django_stream.api.urls import urlpatterns
from django_stream.syndication import ActivityStreamsView, AtomView, JsonFeedView
from django_stream.tracking import drain, register_blocks, register_mutes
from tests.testapp.models import Block, Cheer, Moment, Mute, Praise, Subscription, Whisper

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]

TAGS = {
    "timeline": '{% stream_feed "timeline" limit=100 as page %}{% render_feed page live=True %}',
    "groups": '{% stream_feed "timeline_aggregated" limit=100 as page %}{% render_feed page %}',
    "profile with reactions": (
        '{% stream_feed "profile" limit=100 reactions=asked as page %}{% render_feed page %}'
        "{% for one in page %}{% reactions one %}{% endfor %}"
    ),
    "notifications": '{% stream_feed "notifications" limit=100 as page %}{% render_feed page %}',
    "badge": "{% notification_badge live=True %}",
    "follow button": '{% follow_button person "/" %}',
    "our follow button": "{% follow_button person %}",
    "is following": "{% is_following person as followed %}",
}
# By the name of the address.
JSON = {
    "feed": "/feeds/timeline/?limit=100",
    "follow": "/feeds/users/{person}/follow/",
    "notifications": "/feeds/me/notifications/?limit=100",
    "notification-count": "/feeds/me/notifications/count/",
    "notification-preferences": "/feeds/me/notifications/preferences/",
    "reactions": "/feeds/reactions/{kind}/testapp.Moment/{moment}/?limit=100",
}
WRITING_ALONE = {"user-token", "reaction", "notification"}
PUBLIC = {"atom": AtomView, "json feed": JsonFeedView, "activity streams": ActivityStreamsView}
COSTS = {
    "tag: timeline": 5,
    "tag: groups": 6,
    "tag: profile with reactions": 11,
    "tag: notifications": 10,
    "tag: badge": 13,
    "tag: follow button": 3,
    "tag: our follow button": 1,
    "tag: is following": 3,
    "json: feed": 5,
    "json: follow": 4,
    "json: notifications": 10,
    "json: notification-count": 13,
    "json: notification-preferences": 2,
    "json: reactions whisper": 6,
    "json: reactions cheer": 6,
    "atom": 3,
    "json feed": 3,
    "activity streams": 3,
    "list of followed people": 3,
}


@pytest.fixture
def ada(ada: User, monkeypatch: pytest.MonkeyPatch, settings: Any) -> User:
    register_mutes(Mute, by="by", of="of")
    register_blocks(Block, by="by", of="of")
    settings.STREAM_API_REACTIONS = ("whisper", "cheer")
    settings.STREAM_FOLLOW_MODEL = "testapp.Subscription"
    return ada


def grow(ada: User, count: int) -> Moment:
    """More people and rows of each kind, of whom some are muted and some blocked."""
    people = [User.objects.create(username=f"{User.objects.count()}") for _ in range(count)]
    Mute.objects.bulk_create(Mute(by=ada, of=one) for one in people[::4])
    Block.objects.bulk_create(Block(by=ada, of=one) for one in people[1::4])
    for one in people:
        Subscription.objects.create(reader=ada, writer=one)
        moment = Moment.objects.create(author=one, at=ada)
        moment.mentioned.add(ada)
        mine = Moment.objects.create(author=ada)
        Praise.objects.create(by=one, moment=mine)
        Whisper.objects.create(user=one, moment=mine)
    newest = Moment.objects.create(author=ada)
    for one in people:
        Whisper.objects.create(user=one, moment=newest)
        Cheer.objects.create(user=one, thing=newest)
    drain()
    return newest


def asks(ada: User, newest: Moment, rf: RequestFactory) -> dict[str, Callable[[], Any]]:
    person = User.objects.exclude(pk=ada.pk).order_by("pk")[2]
    api = APIClient()
    api.force_authenticate(ada)

    def tag(source: str) -> Any:
        request = rf.get("/")
        request.user = ada
        template = engines["django"].from_string("{% load django_stream %}" + source)
        return template.render({"asked": {"counts": True, "recent": True}, "person": person}, request)

    def get(address: str) -> Any:
        answer = api.get(address)
        assert answer.status_code == 200, address
        return answer

    def public(view: Any) -> Any:
        reader = lambda request: feeds.profile(ada)  # noqa: E731
        return view.as_view(reader=reader, limit=100)(rf.get("/")).content

    values = {"person": person.pk, "moment": newest.pk}
    return {
        **{f"tag: {name}": lambda source=source: tag(source) for name, source in TAGS.items()},
        **{
            f"json: {name} {kind}".strip(): lambda text=text, kind=kind: get(text.format(kind=kind, **values))
            for name, text in JSON.items()
            for kind in (("whisper", "cheer") if "{kind}" in text else ("",))
        },
        **{name: lambda view=view: public(view) for name, view in PUBLIC.items()},
        "list of followed people": lambda: [*feeds.following(ada, viewer=ada).page(limit=100)],
    }


def test_each_door_costs_the_same_however_much_is_behind_it(ada: User, rf: RequestFactory) -> None:
    costs = []
    for count in (12, 24):
        found = {}
        for name, ask in asks(ada, grow(ada, count), rf).items():
            ask()  # the first look at a grouped feed brings its groups up to date
            with CaptureQueriesContext(connection) as queries:
                ask()
            found[name] = len(queries)
        costs.append(found)
    assert costs[0] == costs[1], "the cost grows with what is shown"
    assert costs[1] == COSTS


def test_every_address_of_the_api_is_in_the_table() -> None:
    assert {str(one.name) for one in urlpatterns} == JSON.keys() | WRITING_ALONE
