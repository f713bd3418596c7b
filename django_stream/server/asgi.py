"""App Streams for asgi.py: `application = with_streams(get_asgi_application())`."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["with_streams"]

if TYPE_CHECKING:
    from django_stream.server.views.connections import Application


def with_streams(application: Application) -> Application:
    """Django's application with long-lived connections beside it, WebSockets included.

    Django itself serves no WebSockets, and keeps a thread for each response that stays open.
    """
    # Not above: asgi.py imports this before Django is set up.
    from django_stream.server.views.connections import beside

    return beside(application)
