"""News for who is signed in: read, dismissed, and as each wants to hear of them."""

from __future__ import annotations

from contextlib import suppress

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from django_stream import feeds, notifications
from django_stream.client.exceptions import ValidationError
from example_project.social.actions import signed_in_post
from example_project.social.forms import PreferencesForm
from example_project.social.views.streams import read


@login_required
def news(request: HttpRequest) -> HttpResponse:
    """What concerns oneself. To look is to have seen it; what was read, one says oneself."""
    page = read(request, feeds.notifications(request.user), mark_seen=not feeds.in_background(request))
    return render(request, "social/notifications.html", {"page": page})


@signed_in_post
def mark_read(request: HttpRequest) -> HttpResponse:
    """Mark one notification as read, or all of them."""
    group = request.POST.get("group")
    with suppress(ValidationError):  # no button sends what is no id of a group
        feeds.notifications(request.user).page(limit=1, mark_read=[group] if group else True)
    return redirect("notifications")


@signed_in_post
def dismiss(request: HttpRequest) -> HttpResponse:
    """Take one notification off the page, or all of them."""
    group = request.POST.get("group")
    if not group:
        notifications.dismiss_all(request.user)
    elif not notifications.dismiss(request.user, group):
        messages.info(request, "It has changed since you looked, and stays.")
    return redirect("notifications")


@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """Of what one wants to hear, where, and how often an e-mail sums it up."""
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("preferences")
    return render(request, "social/preferences.html", {"form": form}, status=400 if form.errors else 200)
