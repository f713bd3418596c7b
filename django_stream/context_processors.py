"""The name of stream-django's module of context processors."""

from django.http import HttpRequest

from django_stream.conf import stream_settings

__all__ = ["stream"]


def stream(request: HttpRequest) -> dict[str, str]:
    """`STREAM_API_KEY` and `STREAM_APP_ID`, for clients in the browser."""
    return {"STREAM_API_KEY": stream_settings.API_KEY, "STREAM_APP_ID": stream_settings.APP_ID}
