"""The API over HTTP: a Django view around the dispatcher."""

from __future__ import annotations

import json
import logging
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from django_stream.protocol.errors import ApiError, invalid
from django_stream.protocol.messages import ApiRequest, ApiResponse, Upload
from django_stream.server.auth.signatures import is_signature
from django_stream.server.conf import server_settings
from django_stream.server.content import encoded, read_body
from django_stream.server.dispatch import handle
from django_stream.server.files.uploads import body_of, upload_of
from django_stream.server.streams.refusals import is_about_streams, with_meta
from django_stream.server.streams.tokens import access_token

logger = logging.getLogger("django_stream.server")

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, stream-auth-type, x-stream-client, content-type",
    "Access-Control-Max-Age": "86400",
}
_READING = "GET, HEAD"
# Deep values become fifty times as long; nobody reads more than so much.
_READABLE_BYTES = 64 * 1024
Response = TypeVar("Response", bound=HttpResponseBase)

_EXPOSED = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, Stream-Begins-After"


@csrf_exempt
def api(request: HttpRequest, path: str) -> HttpResponse:
    """Answer any method on any path of the API. A redirect would lose bodies: there is none."""
    if request.method == "OPTIONS":
        return _preflight(request)
    return _response(request, _answer(request, path))


def other_method(request: HttpRequest, path: str) -> HttpResponse | None:
    """The answer to what is neither GET nor HEAD, where an address beside the API's own takes nothing else.

    Such a view has no CSRF token to be asked for either: Django's refusal would be a page.
    """
    if request.method in ("GET", "HEAD"):
        return None
    if request.method == "OPTIONS":
        return _preflight(request)
    error = ApiError.named(
        "NotAllowedException",
        f"{request.method} is not allowed here, only {_READING}",
        status=405,
        headers={"Allow": _READING},
    )
    return _response(request, _refusal(error, path))


def _preflight(request: HttpRequest) -> HttpResponse:
    return allow_origin(request, HttpResponse(headers=_PREFLIGHT))


def refused(request: HttpRequest, path: str, reason: object) -> HttpResponse:
    """The answer to a request that Django refused before any view was asked."""
    return _response(request, _refusal(_unreadable(reason), path))


def _response(request: HttpRequest, answer: ApiResponse) -> HttpResponse:
    content = _text(request, answer.body)
    response = HttpResponse(content, content_type="application/json", status=answer.status)
    if request.method == "HEAD":
        response["Content-Length"] = len(content)
        response.content = b""
    for name, value in answer.headers.items():
        response[name] = value
    return allow_origin(request, response)


def _text(request: HttpRequest, body: Any) -> bytes:
    """The answer as JSON; readable for people where they ask for it, as of App.net and pnut."""
    text = encoded(body)
    asks = "1" in (request.headers.get("X-Adn-Pretty-Json"), request.headers.get("X-Pretty-Json"))
    if asks and len(text) <= _READABLE_BYTES:
        return json.dumps(body, indent=2, ensure_ascii=False).encode(errors="backslashreplace")
    return text


def _answer(request: HttpRequest, path: str) -> ApiResponse:
    """The envelope, whatever happens: what Django finds wrong with a request is an answer as well."""
    try:
        return handle(_api_request(request, path))
    except ApiError as error:
        return _refusal(error, path)
    except RequestDataTooBig as error:
        return _refusal(ApiError.named("PayloadTooLargeException", str(error)), path)
    except (SuspiciousOperation, UnreadablePostError, LookupError, UnicodeError) as error:
        # Too many parameters, a host that is not ours, a charset that is none, a client that hung up.
        return _refusal(_unreadable(error), path)
    except Exception:
        logger.exception("%r %r could not be read", request.method, path)
        failure = ApiError.named("InternalException", "the server failed; its log has the reason")
        return _refusal(failure, path)


def _unreadable(reason: object) -> ApiError:
    return invalid(f"the request cannot be read: {reason}")


def _refusal(error: ApiError, path: str) -> ApiResponse:
    if is_about_streams(path):
        told = with_meta(error)
        return ApiResponse(told.http_status, dict(told.envelope()), told.headers)
    return ApiResponse(error.http_status, {**error.envelope(), "duration": "0.00ms"}, error.headers)


def _api_request(request: HttpRequest, path: str) -> ApiRequest:
    # By UTF-8, as URLs are, and not by the charset of the body.
    query: dict[str, list[str]] = dict(QueryDict(request.META.get("QUERY_STRING", "")).lists())
    query.pop("location", None)
    body, upload = _content(request)
    headers = request.headers
    token = _token(request)
    if is_about_streams(path):
        # As App.net and pnut have it; elsewhere the word does not belong before a token.
        kind, _, rest = token.partition(" ")
        token = rest.strip() if kind.lower() == "bearer" else token
        token = token or access_token(request.method, query, body)
    return ApiRequest(
        method=request.method or "GET",
        path=path,
        api_key=query.pop("api_key", [headers.get("X-Api-Key", "")])[-1],
        token=token,
        query=query,
        body=body,
        upload=upload,
        headers={
            "Origin": f"{request.scheme}://{request.get_host()}",
            "Content-Type": request.content_type or "",
            **(_signed(request) if is_signature(token) else {}),
        },
    )


def _signed(request: HttpRequest) -> dict[str, str]:
    """What HTTP Signatures are over."""
    return {
        "Date": request.headers.get("Date", ""),
        "Request-Target": f"{(request.method or '').lower()} {request.get_full_path()}",
    }


def _token(request: HttpRequest) -> str:
    authorization = request.headers.get("Authorization", "").strip()
    kind = request.headers.get("Stream-Auth-Type", "jwt")
    if kind.lower() != "jwt" and not is_signature(authorization):
        raise ApiError.named("SignatureException", f"stream-auth-type must be 'jwt', not {kind!r}")
    return authorization


def _content(request: HttpRequest) -> tuple[Any, Upload | None]:
    stream = body_of(request)
    if request.content_type == "multipart/form-data":
        return None, upload_of(request, stream)
    # Read as far as our own limit: Django's is for forms, and some clients send no length.
    text = stream.read(server_settings.BODY_BYTES_MAX + 1)
    if len(text) > server_settings.BODY_BYTES_MAX:
        raise ApiError.named(
            "PayloadTooLargeException", f"a body may have at most {server_settings.BODY_BYTES_MAX} bytes"
        )
    if not text.strip():
        return None, None
    try:
        return read_body(text), None
    except (ValueError, RecursionError) as error:
        raise invalid("the body is not JSON") from error


def allow_origin(request: HttpRequest, response: Response) -> Response:
    """Let browsers of the allowed origins read an answer."""
    for name, value in cors_headers(request.headers.get("Origin")).items():
        response[name] = value
    return response


def cors_headers(origin: str | None) -> dict[str, str]:
    """What tells a browser that a page of this origin may read an answer."""
    allowed = server_settings.CORS_ORIGINS
    if not origin or not ("*" in allowed or origin in allowed):
        return {}
    return {
        "Access-Control-Allow-Origin": "*" if "*" in allowed else origin,
        "Access-Control-Expose-Headers": _EXPOSED,
        "Vary": "Origin",
    }
