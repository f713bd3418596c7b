"""What the buttons of the site share: they post, they need somebody signed in, and they lead back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

View = Callable[..., HttpResponse]


def signed_in_post(view: View) -> View:
    """Only POST, and only signed in; others come back to the page with the button, not to its action."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(back(request, reverse("home")))
        return view(request, *args, **kwargs)

    return require_POST(guarded)


def back(request: HttpRequest, otherwise: str) -> str:
    """Where the button was pressed, if that is a page of this site."""
    origin = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(origin, {request.get_host()}, require_https=request.is_secure()):
        return origin
    return otherwise
