"""A strict Content-Security-Policy. From Django 6.0 on, ContentSecurityPolicyMiddleware does this."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
View = Callable[[HttpRequest], HttpResponse]


def content_security_policy(get_response: View) -> View:
    """Middleware: scripts, styles and images of this site only, and none inside the HTML."""

    def with_policy(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return with_policy
