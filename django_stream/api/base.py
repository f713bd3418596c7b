"""What all views of the site's own API share: who may call them, how often, and in which form they answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, JSONRenderer
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle
from rest_framework.views import APIView


class BoundedJSONParser(JSONParser):
    """JSON that is nested deeper than Python reads is a wrong request, and no failure."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The body is nested too deep.")) from error


class FiniteJSONRenderer(JSONRenderer):
    """JSON, which has no word for infinity: null stands there, and one such row spoils no list."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().render(data, *args, **kwargs)
        except ValueError:
            return super().render(_finite(data), *args, **kwargs)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class StreamThrottle(ScopedRateThrottle):
    """By the scopes of our views; one that DEFAULT_THROTTLE_RATES does not name has no limit."""

    scope_attr = "stream_scope"

    def get_rate(self) -> str | None:
        rates: Any = api_settings.DEFAULT_THROTTLE_RATES
        rate: str | None = rates.get(self.scope)
        return rate


class StreamView(APIView):
    """Answers JSON to who is signed in, and a page to a browser where DRF's own app is installed."""

    permission_classes = (IsAuthenticated,)
    renderer_classes: Any = (FiniteJSONRenderer,)
    parser_classes = (BoundedJSONParser,)

    @property
    def stream_scope(self) -> str:
        """Its name in DEFAULT_THROTTLE_RATES: `stream_reading` or `stream_writing`."""
        return "stream_reading" if self.request.method in SAFE_METHODS else "stream_writing"

    def get_throttles(self) -> list[BaseThrottle]:
        """Those of the site, and ours."""
        return [*super().get_throttles(), StreamThrottle()]

    def get_renderers(self) -> list[BaseRenderer]:
        """The browsable page needs the templates of DRF's app; sites may do without that."""
        renderers, of_site = super().get_renderers(), list[Any](api_settings.DEFAULT_RENDERER_CLASSES)
        browsable = (
            self.renderer_classes is StreamView.renderer_classes
            and BrowsableAPIRenderer in of_site
            and apps.is_installed("rest_framework")
        )
        return [*renderers, BrowsableAPIRenderer()] if browsable else renderers
