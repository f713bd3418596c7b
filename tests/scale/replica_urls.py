"""The API, and two pages: one publishes what a user writes, the other shows it. A third one does nothing."""

from django.contrib.auth.models import User
from django.db import router
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from django_stream import feeds
from tests.testapp.models import Article
from tests.urls import urlpatterns as api

SHOWN = 50
"""So many at most are on a page."""


def write(request: HttpRequest, name: str) -> HttpResponse:
    author, _ = User.objects.get_or_create(username=name)
    Article.objects.create(author=author, title=request.POST["title"])
    return HttpResponse(status=201)


def profile(request: HttpRequest, name: str) -> HttpResponse:
    author = User.objects.filter(username=name).first()
    if author is None:
        return JsonResponse({"feed": [], "rows": [], "from": router.db_for_read(Article)})
    shown = [activity["object"].title for activity in feeds.profile(author).page(limit=SHOWN)]
    rows = author.articles.order_by("-pk")[:SHOWN]
    return JsonResponse({"feed": shown, "rows": [row.title for row in rows], "from": rows.db})


def bare(request: HttpRequest) -> HttpResponse:
    """What is slow here is the machine, and whoever asks."""
    return HttpResponse()


urlpatterns = [*api, path("bare", bare), path("<name>/write", write), path("<name>/", profile)]
