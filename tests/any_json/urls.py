"""Every door by which an activity is read: the API, the site's JSON, its pages, and the admin."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from django_stream.feeds import feed_manager
from django_stream.feeds.paging import FeedReader
from django_stream.server import content


def page(request: HttpRequest, slug: str) -> HttpResponse:
    reader = FeedReader(feed_manager.get_feed(slug, request.user))
    return render(request, "any_json/page.html", {"page": reader.page(limit=100)})


def json_library(request: HttpRequest) -> HttpResponse:
    return HttpResponse("json" if content.orjson is None else "orjson")


urlpatterns = [
    path("json-library/", json_library),
    path("api/v1.0/", include("django_stream.server.urls")),
    path("feeds/", include("django_stream.api.urls")),
    path("pages/<slug:slug>/", page),
    path("admin/", admin.site.urls),
]
