"""The API over HTTP: one pooled `requests.Session` per process, safe retries, bounded waiting."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlencode

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError, SSLError

from django_stream.client.config import DEFAULT_TIMEOUT, USER_AGENT, Endpoints, logger
from django_stream.client.deadlines import DeadlineAdapter, answers_within
from django_stream.client.exceptions import InvalidResponse, TransportException
from django_stream.client.multipart import MultipartBody
from django_stream.client.results import RawResponse, ResponseMeta
from django_stream.client.retries import RetryPolicy, asked_pause, is_repeatable
from django_stream.client.transport_errors import ConnectionFailed, RequestTimeout, TruncatedResponse
from django_stream.protocol.messages import ApiRequest, ApiResponse

_POOL_SIZE = 32
_PATH_SAFE = "/:@!$&'()*+,;=~"
_STEP = re.compile(r"(?<![^/])\.{1,2}(?![^/])")
_CHUNK = 1 << 16
_TICK = 0.001
_json_text = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_STATIC_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Content-Type": "application/json",
    "User-Agent": USER_AGENT,
    "X-Stream-Client": USER_AGENT,
    "stream-auth-type": "jwt",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """The clocks and the dice of a transport, so that tests need not wait."""

    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: the API never redirects, and whatever does must not get the token."""


def pooled_session() -> requests.Session:
    """A session with a pool of our size, and without redirects or cookies: the API has none."""
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, DeadlineAdapter(pool_maxsize=_POOL_SIZE))
    return session


class HttpTransport:
    """Carries requests to a Stream API over HTTP; may be shared by threads and survives a fork."""

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        retry: RetryPolicy | None = None,
        session_factory: Callable[[], requests.Session] = pooled_session,
        waiting: Waiting | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.retry = retry or RetryPolicy()
        self._new_session = session_factory
        self._waiting = waiting or Waiting()
        self._sessions: dict[int, requests.Session] = {}
        self._settings: dict[str, tuple[str, dict[str, Any]]] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.endpoints.base()!r})"

    @property
    def session(self) -> requests.Session:
        """This process's session: a forked child must not write to its parent's sockets."""
        pid = os.getpid()
        if (session := self._sessions.get(pid)) is None:
            # No lock, which a fork might copy while it is held: of two threads, one wins here.
            session = self._sessions.setdefault(pid, self._new_session())
            for parent in self._sessions.keys() - {pid}:
                self._sessions.pop(parent, None)
        return session

    def close(self) -> None:
        if (session := self._sessions.pop(os.getpid(), None)) is not None:
            session.close()

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        timeout = timeout or DEFAULT_TIMEOUT
        started, waiting, policy = self._waiting.clock(), self._waiting, self.retry
        end = started + policy.deadline_for(timeout)
        repeatable = is_repeatable(request.method, request.repeatable)
        # A file's stream has been read, at least in part, once it was sent.
        retries = policy.retries if request.upload is None else 0
        for attempt in itertools.count():
            failure: TransportException | None = None
            answer: RawResponse | None = None
            pause = policy.pause(attempt, waiting.chance())
            try:
                # A sleep may overshoot; a timeout of nothing at all is no valid one.
                answer = self._carry(request, max(_TICK, min(timeout, end - waiting.clock())))
                again = policy.after_answer(answer.status, repeatable)
                pause = _pause_after(answer, pause, waiting.wall())
            except TransportException as error:
                failure, again = error, repeatable or error.unsent
            if attempt >= retries or not again or waiting.clock() + pause >= end:
                break
            outcome = f"was answered with {answer.status}" if answer else f"failed ({failure})"
            logger.info("%s %s %s; again in %.2f s", request.method, request.path, outcome, pause)
            waiting.sleep(pause)
        if answer is None:
            assert failure is not None
            raise failure
        return _api_response(answer)

    def _carry(self, request: ApiRequest, timeout: float) -> RawResponse:
        clock = self._waiting.clock
        end = clock() + timeout
        arrived: list[bytes] = []
        response: requests.Response | None = None
        session = self.session
        url, settings = self._url(request, session)
        prepared = _prepare(request, url)
        prepared.hooks = session.hooks
        prepared.prepare_cookies(session.cookies)
        try:
            with answers_within(lambda: end - clock()):
                response = session.send(prepared, timeout=timeout, **settings)
                # One read at a time, so that an error leaves us what came before it.
                while block := response.raw.read1(_CHUNK, decode_content=True):
                    arrived.append(block)
        except (requests.exceptions.RequestException, HTTPError) as error:
            partial = None
            if response is not None:
                partial = RawResponse(response.status_code, response.headers, b"".join(arrived))
            raise _failure(request, error, partial) from error
        return RawResponse(response.status_code, response.headers, b"".join(arrived))

    def _url(self, request: ApiRequest, session: requests.Session) -> tuple[str, dict[str, Any]]:
        """The request's URL, and what proxies and certificates the environment asks for there."""
        known = self._settings.get(request.service)
        if known is None:
            base = self.endpoints.base(request.service)
            settings = dict(session.merge_environment_settings(base, {}, True, None, None))
            known = self._settings[request.service] = (base, {**settings, "allow_redirects": False})
        base, settings = known
        path = quote(request.path.lstrip("/"), safe=_PATH_SAFE)
        # Data of ours: nobody on the way shall take them for steps upwards.
        path = _STEP.sub(lambda step: step[0].replace(".", "%2E"), path)
        if not path.endswith("/"):
            path += "/"
        query = urlencode({"api_key": request.api_key, **request.query}, doseq=True, safe=",:")
        return f"{base}{path}?{query}", settings


def _prepare(request: ApiRequest, url: str) -> requests.PreparedRequest:
    """What `Request.prepare` would make, without parsing again what is known to be well-formed."""
    headers: dict[str, str] = {**_STATIC_HEADERS, "Authorization": request.token, **request.headers}
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url = request.method, url
    body: Any = None
    if request.upload is not None:
        body = MultipartBody(request.upload)
        headers["Content-Type"] = body.content_type
        framing = {} if body.length is None else {"Content-Length": str(body.length)}
        headers |= framing or {"Transfer-Encoding": "chunked"}
    elif request.body is not None:
        body = _json_text(request.body).encode()
        headers["Content-Length"] = str(len(body))
    prepared.body = body
    prepared.headers = CaseInsensitiveDict(headers)
    return prepared


def _pause_after(answer: RawResponse, pause: float, now: float) -> float:
    asked = asked_pause(answer.status, answer.headers, now)
    # The jitter goes on top: nobody may come back before the server's time.
    return pause if asked is None else asked + pause / 10


def _failure(request: ApiRequest, error: Exception, partial: RawResponse | None) -> TransportException:
    """Our error for one of requests' or urllib3's, in words that repeat neither token nor query."""
    what = f"{request.method} {request.path}"
    cause = error.args[0] if error.args else None
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return RequestTimeout(f"{what}: no connection in time", partial, unsent=True)
    if isinstance(error, requests.exceptions.Timeout | ReadTimeoutError):
        return RequestTimeout(f"{what}: no whole answer in time", partial)
    if partial is not None:
        return TruncatedResponse(f"{what}: the answer broke off or cannot be unpacked", partial)
    reason = getattr(cause, "reason", cause)
    # Neither an unreachable host nor a failed handshake has seen the request.
    unsent = isinstance(reason, NewConnectionError | SSLError)
    name = type(reason or error).__name__
    why = "no connection" if unsent else "the connection broke before an answer"
    return ConnectionFailed(f"{what}: {why} ({name})", unsent=unsent)


def _api_response(answer: RawResponse) -> ApiResponse:
    try:
        body = json.loads(answer.content.decode())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise InvalidResponse(
            f"the answer with status {answer.status} is not a JSON object",
            answer.status,
            meta=ResponseMeta(answer.status, answer.headers),
            response=answer,
        )
    return ApiResponse(answer.status, body, answer.headers)
