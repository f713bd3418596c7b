"""Signing in and up, and how one's account is set."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from example_project.social.demo import PASSWORD, PEOPLE
from example_project.social.forms import SettingsForm, SignUpForm
from example_project.social.models import Follow, Profile
from example_project.social.people import is_private


class SignIn(LoginView):
    """Asks for name and password; while developing, the demo's people are one click away."""

    template_name = "social/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = [person.username for person in PEOPLE] if settings.DEBUG else []
        accounts = User.objects.filter(username__in=names).order_by("first_name")
        return super().get_context_data(**kwargs, demo_accounts=accounts, demo_password=PASSWORD)


def sign_up(request: HttpRequest) -> HttpResponse:
    """A new account; its owner is signed in and shown whom to follow."""
    if request.user.is_authenticated:
        return redirect("home")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save(), backend="django.contrib.auth.backends.ModelBackend")
        messages.success(request, "Welcome! Follow some people, and their posts gather on your page.")
        return redirect("people")
    return render(request, "social/sign_up.html", {"form": form}, status=400 if form.errors else 200)


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """One's name, whether the account is private, and whom one does not see."""
    initial = {"is_private": is_private(request.user)}
    form = SettingsForm(request.POST or None, instance=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        _save(form)
        messages.success(request, "Saved.")
        return redirect("settings")
    context = {
        "form": form,
        "mutes": request.user.mutes.select_related("muted"),
        "blocks": request.user.blocks.select_related("blocked"),
    }
    return render(request, "social/settings.html", context, status=400 if form.errors else 200)


@transaction.atomic
def _save(form: SettingsForm) -> None:
    user, private = form.save(), form.cleaned_data["is_private"]
    Profile.objects.update_or_create(user=user, defaults={"is_private": private})
    if not private:
        # Whoever waited is let in.
        Follow.objects.filter(followed=user, is_accepted=False).update(is_accepted=True)
