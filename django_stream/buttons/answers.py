"""What all buttons share: they post, somebody is signed in, and they lead back or answer JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import get_script_prefix
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from django_stream.client.exceptions import StreamApiException, TransportException

_JSON = "application/json"
# Browsers go no further than this, and Django refuses to lead to very long addresses.
_LONGEST = 2048


class Refused(Exception):
    """The request is wrong; the text says how."""


# Where the site has no middleware for it, the token is asked for all the same.
@method_decorator([csrf_protect, never_cache], name="dispatch")
class ButtonView(View):
    """POST does it, and leads back to `next`, or to the page with the button.

    Whoever asks for JSON gets `answer` as that. Refusals are 400, 401, 404, and 503 without an answer of the
    backend.
    """

    http_method_names: Any = ("post", "options")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "OPTIONS" and not request.user.is_authenticated:
            return _sign_in(request)
        try:
            return super().dispatch(request, *args, **kwargs)
        except Refused as error:
            return _told(request, str(error), 400)
        except Http404 as error:
            if not wants_json(request):
                raise
            return _told(request, str(error), 404)
        except (StreamApiException, TransportException):
            return _told(request, _("The feeds cannot be read right now. Please try again."), 503)

    def post(self, request: HttpRequest, **captures: Any) -> HttpResponse:
        answer = self.do(request, **captures)
        if wants_json(request):
            return JsonResponse(answer or self.answer(request))
        return HttpResponseRedirect(way_back(request))

    def do(self, request: HttpRequest, **captures: Any) -> Mapping[str, Any] | None:
        """What the button does. What it returns is the JSON, and without that `answer` is asked for it."""
        raise NotImplementedError(f"{type(self).__name__}.do() must do what the button says")

    def answer(self, request: HttpRequest) -> Mapping[str, Any]:
        """The JSON that costs more than the act itself: only who asks for JSON pays for it."""
        return {}


def wants_json(request: HttpRequest) -> bool:
    """Whether the one who asks takes JSON rather than a page, as scripts say and browsers do not."""
    return request.get_preferred_type(["text/html", _JSON]) == _JSON


def way_back(request: HttpRequest) -> str:
    """`next` of the form or of the address, else the page with the button, if that is one of this site."""
    host, secure = request.get_host(), request.is_secure()
    places = (request.POST.get("next"), request.GET.get("next"), request.headers.get("Referer"))
    for place in places:
        if place and len(place) <= _LONGEST and url_has_allowed_host_and_scheme(place, {host}, secure):
            return place
    return get_script_prefix()


def _sign_in(request: HttpRequest) -> HttpResponse:
    # Not back to the button's own address: it only takes POST.
    if wants_json(request):
        return _told(request, "sign in first", 401)
    return redirect_to_login(way_back(request))


def _told(request: HttpRequest, text: str, status: int) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"detail": text}, status=status)
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
