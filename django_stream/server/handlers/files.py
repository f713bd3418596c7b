"""Files and images: upload, delete, other sizes, fresh addresses."""

from __future__ import annotations

from typing import Any

from django_stream.protocol.errors import invalid
from django_stream.protocol.messages import Upload
from django_stream.server import permissions
from django_stream.server.actions import files as actions
from django_stream.server.conf import server_settings
from django_stream.server.files.images import CROP_SIDES, RESIZE_MODES, Resizing
from django_stream.server.files.urls import url_of
from django_stream.server.models import StoredFile
from django_stream.server.reads import files as reads
from django_stream.server.requests import Body, Call


def upload(call: Call) -> Body:
    """Upload a file."""
    stored = actions.store(call.application_id, call.principal.user_id or "", _upload(call))
    return {"file": url_of(stored, call.origin)}


def upload_image(call: Call) -> Body:
    """Upload an image."""
    stored = actions.store_image(call.application_id, call.principal.user_id or "", _upload(call))
    return {"file": url_of(stored, call.origin)}


def _upload(call: Call) -> Upload:
    if call.upload is None:
        raise invalid("a multipart body with a field 'file' is required", "file")
    return call.upload


def delete(call: Call) -> Body:
    """Delete a file or an image."""
    actions.delete(_owned_file(call, call.parameters.text("url")))
    return {}


def process(call: Call) -> Body:
    """Make another size of an image."""
    original = _owned_file(call, call.parameters.text("url"))
    if not original.is_image:
        raise invalid("the url is not that of an image", "url")
    resizing = _resizing(call)
    made = original if resizing.width is resizing.height is None else actions.resize(original, resizing)
    return {"file": url_of(made, call.origin)}


def refresh(call: Call) -> Body:
    """Give the address of a file anew: those of a storage may expire, those of this server do not."""
    return {"url": url_of(_owned_file(call, call.fields().get("url")), call.origin)}


def _owned_file(call: Call, url: Any) -> StoredFile:
    """The file at a URL, which must exist and, for a user token, be its holder's."""
    if not isinstance(url, str) or not url:
        raise invalid("url is required", "url")
    file = reads.by_url(call.application_id, url)
    if not call.principal.is_server:
        permissions.same_user(call, [file.user_id])
    return file


def _side(call: Call, name: str) -> int | None:
    """Pixels; a fraction is cut off."""
    side, most = call.parameters.real_number(name), server_settings.IMAGE_SIDE_MAX
    if side is not None and not 1 <= side <= most:
        raise invalid(f"{name} must be between 1 and {most}, not {side:g}", name)
    return None if side is None else int(side)


def _resizing(call: Call) -> Resizing:
    width, height = _side(call, "w"), _side(call, "h")
    mode = call.parameters.text("resize") or "clip"
    if mode not in RESIZE_MODES:
        raise invalid(f"resize must be one of {', '.join(RESIZE_MODES)}, not {mode!r}", "resize")
    across, down = 0.5, 0.5
    for side in call.parameters.listed("crop"):
        if side not in CROP_SIDES and side != "center":
            raise invalid(f"crop may name {', '.join(CROP_SIDES)} and center, not {side!r}", "crop")
        to_left, to_top = CROP_SIDES.get(side, (None, None))
        across = across if to_left is None else to_left
        down = down if to_top is None else to_top
    return Resizing(width, height, mode, (across, down))
