"""Activities are rendered by the most specific template, escaped, in the page's context."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import engines
from django.test import RequestFactory

from django_stream.feeds.enrichment import Enrich, EnrichedActivity
from django_stream.rendering.templates import template_names

ACTIVITY = {"actor": "<b>ada</b>", "verb": "tweet", "object": "hello", "time": None}


def render(source: str, **context: Any) -> str:
    html: str = engines["django"].from_string("{% load django_stream %}" + source).render(context)
    return html


def test_names_go_from_special_to_general() -> None:
    assert template_names({"verb": "tweet"}, "home") == [
        "activity/home_tweet.html",
        "activity/tweet.html",
        "activity/default.html",
        "django_stream/activity.html",
    ]
    assert template_names({"verb": "tweet", "activities": []}) == [
        "activity/aggregated/tweet.html",
        "activity/aggregated/default.html",
        "django_stream/group.html",
    ]


@pytest.mark.parametrize("verb", ["../../etc/passwd", "a/b", "..", "", "x\0y"])
def test_a_verb_is_never_a_path(verb: str) -> None:
    for name in template_names({"verb": verb}):
        assert name.count("/") == 1
        assert ".." not in name
        assert "\0" not in name


def test_the_default_template_shows_and_escapes_anything() -> None:
    html = render("{% render_activity activity %}", activity=ACTIVITY)

    assert "&lt;b&gt;ada&lt;/b&gt;" in html
    assert "hello" in html


def test_a_group_has_a_default_template_too() -> None:
    group = {"verb": "tweet", "activities": [ACTIVITY], "actor_count": 3, "activity_count": 5}

    html = render("{% render_activity group %}", group=group)

    assert "and 2 more" in html
    assert "(5)" in html


def test_a_template_sees_its_page_and_leaves_it_alone(settings: Any, tmp_path: Any) -> None:
    (tmp_path / "activity").mkdir()
    (tmp_path / "activity" / "tweet.html").write_text("{{ activity.object }} {{ site }} {{ request.path }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    request = RequestFactory().get("/here")

    html = render(
        "{% render_activity one %}|{{ activity }}",
        one=ACTIVITY,
        site="ours",
        activity="mine",
        request=request,
    )

    assert html == "hello ours /here|mine"


@pytest.mark.parametrize("nothing", [{}, {"nope": None}], ids=["undefined", "None"])
def test_a_variable_that_is_not_there_renders_nothing(nothing: dict[str, Any], settings: Any) -> None:
    assert render("<p>{% render_activity nope %}{{ nope|author_of }}</p>", **nothing) == "<p></p>"

    settings.DEBUG = True
    html = render("{% render_activity nope %}", **nothing)
    assert html == "<!-- render_activity: a variable that this page does not have -->"


def test_what_is_no_activity_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="{% render_activity %} shows an activity or a group .* type int"):
        render("{% render_activity row %}", row=7)


@pytest.mark.django_db
def test_an_activity_is_shown_without_its_target() -> None:
    there = {**ACTIVITY, "target": "testapp.Article:999999"}
    (gone,) = Enrich().enrich_activities([there])

    assert "hello</bdi></p>" in render("{% render_activity gone %}", gone=gone)
    with pytest.raises(ValueError, match="not fully enriched"):
        render("{% render_activity gone missing_data='raise' %}", gone=gone)


def test_missing_data_is_silent_or_as_one_says() -> None:
    gone = EnrichedActivity(ACTIVITY, {"object": "testapp.Article:1"})

    assert render("{% render_activity gone %}", gone=gone) == ""
    assert "hello" in render("{% render_activity gone missing_data='render' %}", gone=gone)
    with pytest.raises(ValueError, match="not fully enriched"):
        render("{% render_activity gone missing_data='raise' %}", gone=gone)


def test_the_sites_own_default_is_found_wherever_its_app_stands(settings: Any, tmp_path: Any) -> None:
    (tmp_path / "activity" / "aggregated").mkdir(parents=True)
    (tmp_path / "activity" / "default.html").write_text("own")
    (tmp_path / "activity" / "aggregated" / "default.html").write_text("own group")
    loaders = [
        "django.template.loaders.app_directories.Loader",
        ("django.template.loaders.filesystem.Loader", [tmp_path]),
    ]
    options = {**settings.TEMPLATES[0]["OPTIONS"], "loaders": loaders}
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "APP_DIRS": False, "OPTIONS": options}]

    assert render("{% render_activity one %}", one=ACTIVITY) == "own"
    assert render("{% render_activity one %}", one={"verb": "x", "activities": [ACTIVITY]}) == "own group"
