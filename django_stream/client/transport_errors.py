"""What can go wrong between the client and the API, as errors of ours and of `requests`."""

from __future__ import annotations

import requests

from django_stream.client.exceptions import TransportException


class ConnectionFailed(TransportException, requests.exceptions.ConnectionError):
    """The connection could not be made, or broke before the answer began."""

    out_of_reach = True


class RequestTimeout(TransportException, requests.exceptions.Timeout):
    """The answer took longer than the timeout or the deadline."""

    out_of_reach = True


class TruncatedResponse(TransportException, requests.exceptions.ChunkedEncodingError):
    """The connection broke inside the answer; `partial` holds what arrived."""
