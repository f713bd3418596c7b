"""What forms of the site's pages post to, without Django REST framework. URLs: `django_stream.urls`."""

from typing import TYPE_CHECKING

from django_stream.lazy import lazy_exports

__all__ = [
    "ButtonView",
    "CountView",
    "DismissAllView",
    "DismissView",
    "FollowView",
    "MarkView",
    "UnfollowView",
]

if TYPE_CHECKING:
    from django_stream.buttons.answers import ButtonView
    from django_stream.buttons.following import FollowView, UnfollowView
    from django_stream.buttons.notifications import CountView, DismissAllView, DismissView, MarkView
else:
    _ROOMS = ("answers", "following", "notifications")
    __getattr__ = lazy_exports(__name__, __all__, [f"{__name__}.{room}" for room in _ROOMS])
