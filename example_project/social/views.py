"""Pages: each reads a feed, or saves a model and lets the feeds follow."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from django_stream import feeds
from example_project.social.actions import back, signed_in_post
from example_project.social.demo import PASSWORD, PEOPLE
from example_project.social.forms import PostForm
from example_project.social.likes import count_likes
from example_project.social.models import PUBLIC_FEED, Follow, Like, Post


def home(request: HttpRequest) -> HttpResponse:
    """The timeline of those whom one follows; visitors see what everyone posts."""
    if not request.user.is_authenticated:
        return everyone(request)
    page = _page(request, feeds.timeline(request.user))
    suggestions = _others(request.user).filter(is_followed=False)[:3]
    context = {"page": page, "form": PostForm(), "suggestions": suggestions}
    return render(request, "social/home.html", context)


def everyone(request: HttpRequest) -> HttpResponse:
    """All posts of all people."""
    reader = feeds.feed(PUBLIC_FEED)
    context = {"page": _page(request, reader), "is_demo": settings.DEBUG}
    return render(request, "social/everyone.html", context)


@login_required
def notifications(request: HttpRequest) -> HttpResponse:
    """Who liked one's posts; looking at the page marks all as seen and read."""
    page = _page(request, feeds.notifications(request.user), mark_seen=True, mark_read=True)
    return render(request, "social/notifications.html", {"page": page})


def profile(request: HttpRequest, username: str) -> HttpResponse:
    """What one person did."""
    person = get_object_or_404(User, username=username, is_active=True)
    context = {
        "person": person,
        "page": _page(request, feeds.profile(person)),
        "is_followed": Follow.objects.filter(follower=request.user.pk, followed=person).exists(),
        "counts": {
            "posts": person.posts.count(),
            "followers": person.followers.count(),
            "following": person.following.count(),
        },
    }
    return render(request, "social/profile.html", context)


def people(request: HttpRequest) -> HttpResponse:
    """Whom one could follow, the most followed first."""
    return render(request, "social/people.html", {"people": _others(request.user)[:100]})


def post(request: HttpRequest, pk: int) -> HttpResponse:
    """One post and those who like it."""
    shown = get_object_or_404(Post.objects.select_related("author"), pk=pk)
    count_likes([shown], request.user)
    likers = User.objects.filter(likes__post=shown).order_by("-likes__created_at")[:50]
    return render(request, "social/post.html", {"post": shown, "likers": likers})


@signed_in_post
def compose(request: HttpRequest) -> HttpResponse:
    form = PostForm(request.POST)
    if not form.is_valid():
        return render(request, "social/compose.html", {"form": form}, status=400)
    form.instance.author = request.user
    form.save()
    messages.success(request, "Posted, and on its way to your followers.")
    return redirect("home")


@signed_in_post
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a post of one's own."""
    get_object_or_404(Post, pk=pk, author=request.user).delete()
    messages.success(request, "Deleted, and on its way out of every timeline.")
    return redirect("home")


@signed_in_post
def follow(request: HttpRequest, username: str) -> HttpResponse:
    """Follow somebody, or stop following."""
    person = get_object_or_404(User.objects.exclude(pk=request.user.pk), username=username, is_active=True)
    if request.POST.get("stop"):
        Follow.objects.filter(follower=request.user, followed=person).delete()
    else:
        Follow.objects.get_or_create(follower=request.user, followed=person)
    return redirect(back(request, reverse("profile", args=[username])))


@signed_in_post
def like(request: HttpRequest, pk: int) -> HttpResponse:
    """Like a post, or take the like back."""
    liked = get_object_or_404(Post, pk=pk)
    if request.POST.get("stop"):
        Like.objects.filter(user=request.user, post=liked).delete()
    else:
        Like.objects.get_or_create(user=request.user, post=liked)
    return redirect(back(request, liked.get_absolute_url()))


class SignIn(LoginView):
    """Asks for name and password; while developing, the demo's people are one click away."""

    template_name = "social/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = [person.username for person in PEOPLE] if settings.DEBUG else []
        accounts = User.objects.filter(username__in=names).order_by("first_name")
        return super().get_context_data(**kwargs, demo_accounts=accounts, demo_password=PASSWORD)


def _page(request: HttpRequest, reader: feeds.FeedReader, **options: Any) -> feeds.Page:
    """The page that the address asks for, its posts with their likes."""
    page = reader.page(limit=20, cursor=request.GET.get("cursor"), **options)
    count_likes((activity.get("object") for activity in page), request.user)
    return page


def _others(user: Any) -> QuerySet[User]:
    followed = Follow.objects.filter(follower=user.pk, followed=OuterRef("pk"))
    return (
        User.objects.filter(is_active=True)
        .exclude(pk=user.pk)
        .annotate(follower_count=Count("followers"), is_followed=Exists(followed))
        .order_by("-follower_count", "username")
    )
