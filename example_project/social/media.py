"""Images and previews of links: the feed server keeps the ones, fetches the others, and trusts neither."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from django_stream.client.exceptions import StreamApiException
from django_stream.feeds import feed_manager

_LINK = re.compile(r"https?://[^\s<>\"']+")
_WIDTH = 1200


def store_image(photo: UploadedFile) -> str:
    """The address of an image of bearable size; ValidationError for what is no image."""
    images = feed_manager.client.images
    try:
        address = images.upload(photo.file, name=photo.name)["file"]
        return images.process(address, width=_WIDTH, height=_WIDTH, resize="clip")["file"]
    except StreamApiException as error:
        raise ValidationError({"photo": f"This image cannot be used: {error.detail}"}) from error


def preview_of(text: str) -> dict[str, Any]:
    """What the first linked page says of itself; nothing where it says nothing or cannot be reached."""
    if not (link := _LINK.search(text)):
        return {}
    address = link[0].rstrip(".,;:!?)")
    try:
        page = feed_manager.client.og(address)
    except StreamApiException:
        return {}
    told = {name: str(page[name])[:300] for name in ("title", "description", "site_name") if page.get(name)}
    # Where it leads is what the author wrote, and not what the page would like.
    return {**told, "url": address} if "title" in told else {}
