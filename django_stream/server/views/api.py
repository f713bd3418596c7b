"""The API over HTTP: a Django view around the dispatcher."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from django_stream.protocol.errors import ApiError, invalid
from django_stream.protocol.messages import ApiRequest, ApiResponse, Upload
from django_stream.server.conf import server_settings
from django_stream.server.content import encoded
from django_stream.server.dispatch import handle
from django_stream.server.files.uploads import upload_of

logger = logging.getLogger("django_stream.server")

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, stream-auth-type, x-stream-client, content-type",
    "Access-Control-Max-Age": "86400",
}
_EXPOSED = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"


@csrf_exempt
def api(request: HttpRequest, path: str) -> HttpResponse:
    """Answer any method on any path of the API. A redirect would lose bodies: there is none."""
    if request.method == "OPTIONS":
        return _allow_origin(request, HttpResponse(headers=_PREFLIGHT))
    answer = _answer(request, path)
    response = HttpResponse(encoded(answer.body), content_type="application/json", status=answer.status)
    for name, value in answer.headers.items():
        response[name] = value
    return _allow_origin(request, response)


def _answer(request: HttpRequest, path: str) -> ApiResponse:
    """The envelope, whatever happens: what Django finds wrong with a request is an answer as well."""
    try:
        return handle(_api_request(request, path))
    except ApiError as error:
        return _refusal(error)
    except RequestDataTooBig as error:
        return _refusal(ApiError.named("PayloadTooLargeException", str(error)))
    except (SuspiciousOperation, UnreadablePostError, LookupError, UnicodeError) as error:
        # Too many parameters, a host that is not ours, a charset that is none, a client that hung up.
        return _refusal(invalid(f"the request cannot be read: {error}"))
    except Exception:
        logger.exception("%r %r could not be read", request.method, path)
        return _refusal(ApiError.named("InternalException", "the server failed; its log has the reason"))


def _refusal(error: ApiError) -> ApiResponse:
    return ApiResponse(error.http_status, {**error.envelope(), "duration": "0.00ms"}, error.headers)


def _api_request(request: HttpRequest, path: str) -> ApiRequest:
    # By UTF-8, as URLs are, and not by the charset of the body.
    query: dict[str, list[str]] = dict(QueryDict(request.META.get("QUERY_STRING", "")).lists())
    query.pop("location", None)
    body, upload = _content(request)
    return ApiRequest(
        method=request.method or "GET",
        path=path,
        api_key=query.pop("api_key", [""])[-1],
        token=_token(request),
        query=query,
        body=body,
        upload=upload,
        headers={"Origin": f"{request.scheme}://{request.get_host()}"},
    )


def _token(request: HttpRequest) -> str:
    kind = request.headers.get("Stream-Auth-Type", "jwt")
    if kind.lower() != "jwt":
        raise ApiError.named("SignatureException", f"stream-auth-type must be 'jwt', not {kind!r}")
    return request.headers.get("Authorization", "").strip()


def _content(request: HttpRequest) -> tuple[Any, Upload | None]:
    if request.content_type == "multipart/form-data":
        return None, upload_of(request)
    # Read as far as our own limit: Django's is for forms, and some clients send no length.
    text = request.read(server_settings.BODY_BYTES_MAX + 1)
    if len(text) > server_settings.BODY_BYTES_MAX:
        raise ApiError.named(
            "PayloadTooLargeException", f"a body may have at most {server_settings.BODY_BYTES_MAX} bytes"
        )
    if not text.strip():
        return None, None
    try:
        return json.loads(text, parse_constant=_no_constant), None
    except (ValueError, RecursionError) as error:
        raise invalid("the body is not JSON") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _allow_origin(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    origin = request.headers.get("Origin")
    allowed = server_settings.CORS_ORIGINS
    if origin and ("*" in allowed or origin in allowed):
        response["Access-Control-Allow-Origin"] = "*" if "*" in allowed else origin
        response["Access-Control-Expose-Headers"] = _EXPOSED
        response["Vary"] = "Origin"
    return response
