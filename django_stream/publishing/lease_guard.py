"""Nothing is sent that may outlast the lease: by then another worker may have sent something newer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django_stream.client.exceptions import TransportException
from django_stream.client.retries import RetryPolicy
from django_stream.conf import stream_settings
from django_stream.protocol.messages import ApiRequest, ApiResponse, Transport

if TYPE_CHECKING:
    from django_stream.client import StreamClient


class LeaseOver(TransportException):
    """There is no time left for this call; the change is tried again."""


class LeaseGuardedTransport:
    """Carries requests until `end`, and refuses them afterwards."""

    def __init__(self, transport: Transport, end: datetime, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._end = end
        self._clock = clock

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        if self._clock() >= self._end:
            raise LeaseOver("the lease is over before all of its batch was sent", unsent=True)
        return self._transport.send(request, timeout=timeout)

    def close(self) -> None:
        self._transport.close()


def longest_call(timeout: float) -> float:
    """Seconds that one call may take, with all its tries."""
    return RetryPolicy().deadline_for(timeout)


def lease_guarded(client: StreamClient, until: datetime, clock: Callable[[], datetime]) -> StreamClient:
    """The client, for calls that are certain to be over when the lease is."""
    end = until - timedelta(seconds=longest_call(client.timeout or stream_settings.TIMEOUT))
    return client.with_transport(LeaseGuardedTransport(client.api.transport, end, clock))
