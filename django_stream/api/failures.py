"""Refusals and failures of the backend, as answers of the site's own API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ValidationError

from django_stream.client.exceptions import StreamApiException, TransportException
from django_stream.feeds.paging import BadCursor


class FeedsUnavailable(APIException):
    """The backend gave no answer that can be shown."""

    status_code = 503
    default_detail = _("The feeds cannot be read right now. Please try again.")
    default_code = "feeds_unavailable"


@contextmanager
def refusals_as_answers() -> Iterator[None]:
    """Turn what the client raises into what DRF answers."""
    try:
        yield
    except BadCursor as error:
        raise ValidationError({"cursor": [str(error)]}) from error
    except (StreamApiException, TransportException) as error:
        raise FeedsUnavailable from error
