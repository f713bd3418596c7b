"""One call of the API: token, encoding, carriage, errors, known times. All resources go through here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django_stream.client.encoding import plain, query_text
from django_stream.client.exceptions import StreamException, error_from
from django_stream.client.results import ResponseMeta, Result
from django_stream.client.times import Body, Decoder
from django_stream.client.tokens import Tokens
from django_stream.protocol.messages import ApiRequest, Transport, Upload

logger = logging.getLogger("django_stream.client")

# resource, action, packed feed id, user id: the claims of a server-side token.
Scope = tuple[str, str] | tuple[str, str, str] | tuple[str, str, str, str]
ANYTHING: Scope = ("*", "*")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Api:
    """Who calls, through which transport, with how much patience."""

    transport: Transport
    api_key: str
    tokens: Tokens
    timeout: float | None

    def call(
        self,
        method: str,
        path: str,
        scope: Scope | str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        decode: Decoder | None = None,
        repeatable: bool = False,
        upload: Upload | None = None,
        service: str = "api",
    ) -> Any:
        """Send one request; the answer's object as a `Result`, or an exception of this client."""
        token = scope if isinstance(scope, str) else self.tokens.scope(*scope)
        request = ApiRequest(
            method,
            path,
            self.api_key,
            token,
            _query(query) if query else {},
            None if body is None else plain(body),
            upload,
            repeatable=repeatable,
            service=service,
        )
        response = self.transport.send(request, timeout=self.timeout)
        meta = ResponseMeta(response.status, response.headers)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s %s answered %s (request id %s)", method, path, meta.status, meta.request_id)
        if not 200 <= response.status < 300:
            raise error_from(response.body, response.status, meta)
        if decode is not None:
            decode(response.body)
        return Result(response.body, meta)

    def batches(self, items: Sequence[Item], size: int, send: Callable[[Sequence[Item]], Any]) -> list[Any]:
        """Send items in requests of at most `size`, in order.

        An error in a later one has a note and the attribute `done`: how many items were sent before it.
        """
        results: list[Any] = []
        for start, part in _parts(items, size):
            try:
                results.append(send(part))
            except StreamException as error:
                error.done = start
                if start:
                    error.add_note(f"the first {start} of {len(items)} entries were sent before this error")
                raise
        return results


def _query(query: Mapping[str, Any]) -> dict[str, str | Sequence[str]]:
    return {name: text for name, value in query.items() if (text := query_text(name, value)) is not None}


def _parts(items: Sequence[Item], size: int) -> Iterator[tuple[int, Sequence[Item]]]:
    # An empty batch is still one request: the server's answer to it is the caller's.
    for start in range(0, len(items) or 1, size):
        yield start, items[start : start + size]


def merged(results: list[Any], name: str) -> Any:
    """The answer of several requests as one: the lists under `name` joined, all else from the last."""
    last = results[-1]
    if len(results) > 1:
        joined: Body = {**last, name: [item for result in results for item in result.get(name, ())]}
        return Result(joined, last.meta)
    return last
