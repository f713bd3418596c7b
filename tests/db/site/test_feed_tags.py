"""Tags that show whole feeds, badges, buttons and reactions: for people, visitors and screen readers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404
from django.template import engines
from django.test import RequestFactory
from django.urls import include, path
from django.utils import translation

from django_stream import feeds
from django_stream.feeds import EnrichedActivity, feed_manager
from django_stream.protocol.credentials import FAYE_SCOPE_KEY
from django_stream.tracking import drain
from tests.testapp.models import Article, Subscription

pytestmark = pytest.mark.django_db

Render = Callable[..., str]


@pytest.fixture
def render(rf: RequestFactory, grace: User) -> Render:
    def rendered(
        source: str,
        user: Any = grace,
        query: str = "",
        headers: Any = None,
        scope: Any = None,
        **context: Any,
    ) -> str:
        request = rf.get(f"/page/{query}", headers=headers)
        if scope is not None:
            request.scope = scope  # type: ignore[attr-defined]
        request.user = user
        template = engines["django"].from_string("{% load django_stream %}" + source)
        return str(template.render(context, request))

    return rendered


@pytest.fixture
def articles(ada: User, grace: User) -> list[Article]:
    Subscription.objects.create(reader=grace, writer=ada)
    created = [Article.objects.create(author=ada, title=f"<{number}>") for number in range(5)]
    created[0].mentioned.add(grace)
    drain()
    return created[::-1]


TIMELINE = '{% stream_feed "timeline" limit=2 as page %}{% render_feed page label="News" %}'


def test_a_feed_is_a_list_that_screen_readers_know(render: Render, articles: list[Article]) -> None:
    html = render(TIMELINE)

    assert 'role="feed" aria-label="News" aria-busy="false"' in html
    assert html.count('role="article" tabindex="0"') == 2
    assert 'aria-posinset="2" aria-setsize="-1"' in html
    assert "&lt;4&gt;" in html
    assert "<4>" not in html
    assert "style=" not in html
    assert "onclick" not in html


def test_the_next_page_keeps_the_rest_of_the_address(render: Render, articles: list[Article]) -> None:
    cursor = feeds.timeline(articles[0].author).page().next
    cursor = feeds.timeline(User.objects.get(username="grace")).page(limit=2).next
    assert f'href="?tab=news&amp;cursor={cursor}"' in render(TIMELINE, query="?tab=news")

    html = render(TIMELINE, query=f"?cursor={cursor}&tab=news")

    assert "&lt;2&gt;" in html
    assert "&lt;4&gt;" not in html
    assert "aria-posinset" not in html, "how many were before is not known here"
    with pytest.raises(Http404):
        render(TIMELINE, query="?cursor=zzz")


def test_each_feed_of_a_page_goes_on_by_itself(render: Render, articles: list[Article]) -> None:
    both = TIMELINE + (
        '{% stream_feed "notifications" parameter="older" as bell %}'
        '{% render_feed bell label="Bell" name="bell" parameter="older" %}'
    )
    (link,) = re.findall(r'rel="next" href="([^"]+)"', render(both))
    further = render(both, query=link.replace("&amp;", "&"))

    assert further.count('role="article"') == 3
    assert "hx-select=\"[data-stream-feed='feed']\"" in further


def test_what_a_viewer_may_not_see_is_shown_by_no_policy(render: Render, articles: list[Article]) -> None:
    fields = {"id": "1", "verb": "write", "actor": "a", "title": "secret"}
    hidden = EnrichedActivity(fields, hidden=True)
    group = {
        "id": "g",
        "group": "g",
        "activities": [hidden],
        "activity_count": 1,
        "actor_count": 1,
        "verb": "w",
    }
    for one in (hidden, group):
        assert render('{% render_activity one missing_data="render" %}', one=one) == ""
    assert not hidden.enriched


def test_a_page_costs_no_more_queries_for_more_activities(
    render: Render, articles: list[Article], django_assert_max_num_queries: Any
) -> None:
    for limit in (1, 5):
        source = f'{{% stream_feed "timeline" limit={limit} as page %}}{{% render_feed page %}}'
        with django_assert_max_num_queries(4):
            render(source)


def test_an_empty_feed_says_so_and_a_visitor_has_none(render: Render, ada: User) -> None:
    assert "Nothing here yet." in render(TIMELINE, user=ada)
    assert "Nothing here yet." in render(TIMELINE, user=AnonymousUser())


def test_feeds_are_named_by_words_or_ids(
    render: Render, articles: list[Article], ada: User, settings: Any
) -> None:
    count = "{% stream_feed name owner=owner as page %}{{ page|length }}"
    settings.STREAM_EVERYTHING_FEED = f"user:{ada.pk}"
    names = {"profile": 5, "notifications": 0, "timeline_aggregated": 0, "everything": 5, f"user:{ada.pk}": 5}
    assert {name: int(render(count, name=name, owner=ada)) for name in names} == names
    with pytest.raises(ValueError, match="there is no feed 'timelin'. Did you mean 'timeline'?"):
        render(count, name="timelin", owner=ada)


def test_the_badge_counts_what_waits(render: Render, articles: list[Article], ada: User) -> None:
    assert "1<span" in (badge := render("{% notification_badge %}"))
    assert "new notification</span>" in badge
    assert render("{% notification_badge %}", user=ada).strip() == ""
    assert render("{% notification_badge %}", user=AnonymousUser()).strip() == ""


BUTTON = '{% follow_button person "/follow/" %}'


def test_a_follow_button_is_a_form_that_knows_its_state(
    render: Render, articles: list[Article], ada: User, grace: User
) -> None:
    followed = render(BUTTON, person=ada)
    assert 'name="stop" value="1"' in followed
    assert 'aria-label="Unfollow ada"' in followed
    assert "csrfmiddlewaretoken" in followed
    assert 'name="next" value="/page/?a=%22"' in render(BUTTON, person=ada, query="?a=%22")
    for user in (ada, AnonymousUser()):
        other = render(BUTTON, user=user, person=grace)
        assert 'aria-label="Follow grace"' in other
        assert "stop" not in other
    assert render(BUTTON, person=grace) == "", "nobody follows oneself"
    given = render('{% follow_button person "/follow/" followed=False %}', person=ada)
    assert 'aria-label="Follow ada"' in given


def test_a_follow_button_takes_back_what_waits(render: Render, ada: User) -> None:
    waiting = render('{% follow_button person "/follow/" followed=False requested=True %}', person=ada)
    assert 'aria-label="Take back the request to follow ada"' in waiting
    assert 'name="stop" value="1"' in waiting


def test_an_empty_feed_has_the_words_of_its_page(render: Render, ada: User) -> None:
    source = (
        '{% stream_feed "timeline" as page %}{% render_feed page empty="django_stream/badge.html" poll=30 %}'
    )
    html = render(source, count=3, user=ada)
    assert "3<span" in html
    assert "Nothing here yet." not in html
    assert 'data-stream-poll="30"' in html
    assert 'aria-busy="false" hidden>' in html, "a feed without articles is none for screen readers"
    assert "Nothing here yet." in render(TIMELINE, user=ada)


LIVE = '{% stream_feed "timeline" limit=2 as page %}{% render_feed page live=live %}'


@pytest.mark.urls("tests.db.site.urls")
def test_a_live_feed_knows_where_to_listen(
    render: Render, articles: list[Article], grace: User, settings: Any
) -> None:
    served: Any = {FAYE_SCOPE_KEY: "/faye"}

    def places(html: str) -> list[Any]:
        return [json.loads(unescape(one)) for one in re.findall(r'data-stream-live="([^"]+)"', html)]

    (place,) = places(render(LIVE, live=True, scope=served))
    assert len(place.pop("csrf")) == 64
    told = {"faye": "/faye", "feed": f"timeline:{grace.pk}", "token": "/feeds/me/token/"}
    assert place.pop("newest") == "/feeds/timeline/?limit=1"
    assert place == {**told, "key": "embedded", "app": "1"}
    (badge,) = places(render("{% notification_badge live=True %}", scope=served))
    assert badge["feed"] == f"notification:{grace.pk}"
    (other,) = places(render(LIVE, live="https://x.example/faye"))
    assert other["faye"] == "https://x.example/faye"

    cursor = feeds.timeline(grace).page(limit=2).next
    older = render(LIVE, live=True, scope=served, query=f"?cursor={cursor}")
    assert "data-stream-poll" not in older, "what is new is not on older pages"
    looking = [
        render(LIVE, live=True),
        render(LIVE, live=True, scope={}),
        render(LIVE, live=True, scope=served, user=AnonymousUser()),
    ]
    number = "{% notification_badge live=True %}"
    assert 'data-stream-source="/stream/notifications/count/" data-stream-count="1"' in render(number)
    settings.ROOT_URLCONF = (path("feeds/", include("django_stream.api.urls")),)
    assert 'data-stream-source="/feeds/me/notifications/count/"' in render(number)
    settings.ROOT_URLCONF = "tests.urls"
    assert "data-stream-source" not in render(number)
    looking.append(render(LIVE, live=True, scope=served))
    assert [places(html) for html in [*looking, older]] == [[]] * 5
    assert all('data-stream-poll="60"' in html for html in looking), "it looks now and then"


@pytest.mark.parametrize("headers", [{"X-Stream-Background": "look"}, {"Sec-Purpose": "prefetch;prerender"}])
def test_nothing_is_seen_where_nobody_looks(
    render: Render, articles: list[Article], grace: User, headers: Any
) -> None:
    source = '{% stream_feed "notifications" mark_seen=True mark_read=True as page %}{{ page|length }}'
    assert render(source, headers=headers) == "1"
    assert feeds.unseen(grace) == 1
    assert render(source, headers={"Sec-Purpose": ""}) == "1"
    assert feeds.unseen(grace) == 0


def test_a_page_asks_whether_somebody_is_followed(render: Render, articles: list[Article], ada: User) -> None:
    source = "{% is_following person as followed %}{{ followed }}"
    assert render(source, person=ada) == "True"
    assert render(source, person=ada, user=AnonymousUser()) == "False"


def test_reactions_are_shown_as_the_page_has_read_them(
    render: Render, articles: list[Article], ada: User, grace: User
) -> None:
    activity_id = feed_manager.get_user_feed(ada).get()["results"][0]["id"]
    feed_manager.client.reactions.add("comment", activity_id, str(grace.pk), data={"text": "<b>fine</b>"})
    source = (
        '{% stream_feed "profile" owner=ada reactions=asked as page %}'
        "{% for activity in page %}{% reactions activity %}{% endfor %}{% reactions nothing %}"
    )
    html = render(source, ada=ada, asked={"counts": True, "recent": True})

    assert "<bdi>comment</bdi>: 1" in html
    assert "&lt;b&gt;fine&lt;/b&gt;" in html
    assert html.count("<div") == 1, "nothing is shown of what has no reactions"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ("Folgen", "Ältere", "1 neue Benachrichtigung", "und 4 weitere")),
        ("fr", ("Suivre", "Plus anciens", "1 nouvelle notification", "et 4 autres")),
        ("es", ("Seguir", "Más antiguos", "1 notificación nueva", "y 4 más")),
        ("pt", ("Seguir", "Mais antigos", "1 nova notificação", "e mais 4")),
        ("tr", ("Takip et", "Daha eski", "1 yeni bildirim", "ve 4 kişi daha")),
        ("en", ("Follow", "Older", "1 new notification", "and 4 more")),
    ],
)
def test_people_read_their_own_language(
    render: Render, articles: list[Article], ada: User, language: str, words: tuple[str, ...]
) -> None:
    activity = {"actor": "ada", "verb": "v", "object": "o"}
    group = {"verb": "v", "activities": [activity], "actor_count": 5, "activity_count": 5}
    source = BUTTON + TIMELINE + "{% notification_badge %}{% render_activity group %}"
    with translation.override(language):
        html = render(source, person=User(pk=9, username="x"), group=group)
    plain = " ".join(html.replace('<span class="stream-badge-text">', "").split())

    assert [word for word in words if word not in plain] == []


def test_every_catalogue_is_complete_and_compiled() -> None:
    locale = Path(feeds.__file__).parents[1] / "locale"
    languages = sorted(folder.name for folder in locale.iterdir())
    assert languages == ["de", "es", "fr", "pt", "tr"]
    for language in languages:
        folder = locale / language / "LC_MESSAGES"
        text = (folder / "django.po").read_text()
        assert "#, fuzzy" not in text
        untranslated = [block for block in text.split("\n\n")[1:] if block.rstrip().endswith('""')]
        assert untranslated == []
        assert (folder / "django.mo").stat().st_size > 0


def test_the_example_of_the_docs_shows_a_feed(render: Render, articles: list[Article]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text()
    source, *_ = re.findall(r"```html\n(.*?)```", page, re.DOTALL)
    html = render(source)

    assert html.count('role="article"') == 5
    assert '/django_stream/feed.js" defer' in html
    assert 'data-stream-poll="60"' in html


def test_no_words_are_without_a_translation() -> None:
    package = Path(feeds.__file__).parents[1]
    files = [
        path for path in package.rglob("*") if path.suffix in {".py", ".html"} and "server" not in path.parts
    ]
    said = {
        words
        for path in files
        if "migrations" not in path.parts
        for words in re.findall(
            r"""(?:\b_|\bgettext)\(\s*"([^"]+)"|translate ["']([^"']+)["']""", path.read_text()
        )
        for words in words
        if words
    }
    catalogue = (package / "locale" / "de" / "LC_MESSAGES" / "django.po").read_text()

    assert "Older" in said
    assert "Waiting" in said
    assert [words for words in sorted(said) if f'msgid "{words}"' not in catalogue] == []
