"""The page behind the link in e-mails. A program posts to it, a person sees a button first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from django_stream.notifications.unsubscribing import unsubscribe, user_of

_TEMPLATE = "django_stream/notifications/unsubscribe.html"


# The token in the address is what allows it: mail programs have no session and no cookie.
@method_decorator([csrf_exempt, never_cache], name="dispatch")
class UnsubscribeView(View):
    """GET asks, and changes nothing, since scanners of mail follow links; POST ends the e-mails."""

    http_method_names = ("get", "head", "post")

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        user_of(token)
        return self._page(request, done=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        unsubscribe(token)
        return self._page(request, done=True)

    def _page(self, request: HttpRequest, **values: Any) -> HttpResponse:
        answer = render(request, _TEMPLATE, values)
        answer["Referrer-Policy"] = "no-referrer"
        answer["X-Robots-Tag"] = "noindex"
        return answer
