"""Pages that read a feed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from django_stream import feeds
from example_project.social.forms import PostForm
from example_project.social.likes import count_likes
from example_project.social.models import PUBLIC_FEED
from example_project.social.people import is_private
from example_project.social.views.people import with_follows


def home(request: HttpRequest) -> HttpResponse:
    """The timeline of those whom one follows; visitors see what everyone posts."""
    if not request.user.is_authenticated:
        return everyone(request)
    return _home(request, "home", feeds.timeline(request.user))


@login_required
def popular(request: HttpRequest) -> HttpResponse:
    """The same posts, those first about which people have something to say."""
    return _home(request, "popular", feeds.timeline(request.user), ranking="popular")


@login_required
def summary(request: HttpRequest) -> HttpResponse:
    """The same once more, in groups: "Ada and 4 others liked this"."""
    return _home(request, "summary", feeds.timeline(request.user, "timeline_aggregated"))


def everyone(request: HttpRequest) -> HttpResponse:
    """All posts of all people."""
    reader = feeds.feed(PUBLIC_FEED, viewer=request.user)
    context = {"page": read(request, reader), "is_demo": settings.DEBUG}
    return render(request, "social/everyone.html", context)


def profile(request: HttpRequest, username: str) -> HttpResponse:
    """What one person did, as far as who looks may see it; the newest first, or the most popular."""
    people = feeds.visible_to(request.user, User.objects.filter(is_active=True))
    person = get_object_or_404(with_follows(people, request.user), username=username)
    is_closed = person != request.user and not person.is_followed and is_private(person)
    order = {"ranking": "popular"} if request.GET.get("order") == "popular" else {}
    context = {
        "person": person,
        "is_closed": is_closed,
        "is_popular": bool(order),
        "page": None if is_closed else read(request, feeds.profile(person, viewer=request.user), **order),
        "counts": {
            "posts": person.posts.count(),
            "followers": person.followers.filter(is_accepted=True).count(),
            "following": person.following.filter(is_accepted=True).count(),
        },
    }
    return render(request, "social/profile.html", context)


def read(request: HttpRequest, reader: feeds.FeedReader, **options: Any) -> feeds.Page:
    """The page that the address asks for, its posts with how many like and answer them."""
    counted = {"reactions": {"counts": True}}
    page = reader.page(limit=20, cursor=request.GET.get("cursor"), **counted, **options)
    count_likes((activity.get("object") for activity in page), request.user)
    return page


def _home(request: HttpRequest, tab: str, reader: feeds.FeedReader, **options: Any) -> HttpResponse:
    people = feeds.visible_to(request.user, User.objects.filter(is_active=True).exclude(pk=request.user.pk))
    strangers = with_follows(people, request.user).filter(is_followed=False, is_asked=False)
    context = {
        "tab": tab,
        "page": read(request, reader, **options),
        "form": PostForm(),
        "suggestions": strangers.order_by("-follower_count", "username")[:3],
    }
    return render(request, "social/home.html", context)
