"""Feeds for class-based views: the same pages, by the same cursors, as those of tags and the JSON API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.views.generic import ListView

from django_stream.feeds.background import without_marks
from django_stream.feeds.paging import FeedReader

if TYPE_CHECKING:
    _ListView = ListView[Any]
else:
    _ListView = ListView

__all__ = ["FeedListView"]


class FeedListView(_ListView):
    """A `ListView` of a feed: `object_list` are its activities, and `page_obj` is its `Page`.

    `{% render_feed page_obj %}` shows it. The address names the page by `page_kwarg`.
    """

    paginate_by = 25
    page_kwarg = "cursor"
    page_options: dict[str, Any] = {}
    """What `page` is given besides, such as `{"mark_seen": True}`."""

    def reader(self) -> FeedReader:
        """The feed, such as `feeds.timeline(self.request.user)`."""
        raise NotImplementedError(f"{type(self).__name__}.reader() must return the reader of a feed")

    def get_queryset(self) -> Any:
        return self.reader()

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        cursor = self.request.GET.get(self.page_kwarg) or None
        options = without_marks(self.request, self.page_options)
        page = queryset.page(limit=page_size, cursor=cursor, **options)
        return None, page, page.activities, page.next is not None
