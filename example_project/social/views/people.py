"""Whom one follows, and whom one does not want to see."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from django_stream import feeds
from example_project.social.actions import back, signed_in_post
from example_project.social.models import Block, Follow, Mute
from example_project.social.people import is_private

_SHOWN = 100


def people(request: HttpRequest) -> HttpResponse:
    """Whom one could follow, the most followed first, or those by the name that was asked for."""
    words = request.GET.get("q", "").replace("\0", " ").split()[:5]
    found = others(request.user).annotate(name=Concat("first_name", Value(" "), "last_name"))
    for word in words:
        found = found.filter(Q(name__icontains=word) | Q(username__icontains=word))
    shown = with_follows(found, request.user).order_by("-follower_count", "username")[:_SHOWN]
    return render(request, "social/people.html", {"people": shown, "words": " ".join(words)})


@signed_in_post
def follow(request: HttpRequest, username: str) -> HttpResponse:
    """Follow somebody, ask to, or stop following."""
    person = get_object_or_404(others(request.user), username=username)
    if request.POST.get("stop"):
        Follow.objects.filter(follower=request.user, followed=person).delete()
    else:
        asks = {"is_accepted": not is_private(person)}
        Follow.objects.get_or_create(follower=request.user, followed=person, defaults=asks)
    return redirect(back(request, reverse("profile", args=[username])))


@signed_in_post
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Let in somebody who asked to follow, or decline."""
    asked = get_object_or_404(Follow, pk=pk, followed=request.user, is_accepted=False)
    if request.POST.get("decline"):
        asked.delete()
    else:
        asked.is_accepted = True
        asked.save()
    return redirect("notifications")


@signed_in_post
def mute(request: HttpRequest, username: str) -> HttpResponse:
    """See nothing of somebody any more, or see them again."""
    return _set_aside(request, username, Mute, by="muter", of="muted")


@signed_in_post
def block(request: HttpRequest, username: str) -> HttpResponse:
    """Neither sees anything of the other any more, and they follow one another no longer."""
    return _set_aside(request, username, Block, by="blocker", of="blocked")


def _set_aside(request: HttpRequest, username: str, model: Any, *, by: str, of: str) -> HttpResponse:
    person = get_object_or_404(User.objects.exclude(pk=request.user.pk), username=username)
    pair = {by: request.user, of: person}
    if request.POST.get("stop"):
        model.objects.filter(**pair).delete()
    else:
        model.objects.get_or_create(**pair)
        messages.success(request, "Done. Your settings list whom you have muted and blocked.")
    return redirect("settings" if request.POST.get("stop") else "home")


def others(user: Any) -> QuerySet[User]:
    """Everybody else whom a viewer may see."""
    return feeds.visible_to(user, User.objects.filter(is_active=True).exclude(pk=user.pk))


def with_follows(people: QuerySet[User], viewer: Any) -> QuerySet[User]:
    """People with their followers counted, and whether the viewer follows them or has asked to."""
    rows = Follow.objects.filter(follower=viewer.pk, followed=OuterRef("pk"))
    return people.annotate(
        follower_count=Count("followers", filter=Q(followers__is_accepted=True), distinct=True),
        is_followed=Exists(rows.filter(is_accepted=True)),
        is_asked=Exists(rows.filter(is_accepted=False)),
    )
