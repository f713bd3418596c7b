"""What the examples of the description speak of, so that they find it."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from django_stream.server.conf import server_settings
from django_stream.server.models import StreamFilter
from django_stream.server.openapi import examples
from tests.contract.calling import Api


def tell() -> str:
    """Ada's post with its reaction; the address of her picture."""
    api, home = Api(), f"feed/user/{examples.USER}/"
    api.made("users/", {"users": [{"id": examples.USER, "data": {"name": "Ada"}}]})
    api.made("collections/", {"data": {examples.COLLECTION: [{"id": examples.ENTRY, "name": "Apple pie"}]}})
    api.made(f"collections/{examples.COLLECTION}/", {"id": "own", "data": {"a": 1}, "user_id": examples.USER})
    made = api.made(home, {**examples.POST, "to": [f"notification:{examples.USER}"], "mood": "fine"})
    assert made["id"] == examples.ACTIVITY
    api.follow(f"timeline:{examples.USER}", "user:grace")
    api.follow(f"timeline:{examples.USER}", f"user:{examples.USER}")
    api.follow("timeline_aggregated:grace", f"user:{examples.USER}")
    api.react(examples.ACTIVITY, "comment", examples.USER, id=examples.REACTION, data={"text": "well done"})
    api.answer_to(examples.REACTION, "like", "grace")
    _listen(api)
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    return api.as_user(examples.USER).upload("images/", picture.getvalue(), "picture.png")


def _listen(api: Api) -> None:
    """A filter and a stream with a webhook."""
    wanted = examples.BODIES["POST", "filters"]
    number = server_settings.own_app_id
    StreamFilter.objects.create(pk=int(examples.FILTER), application_id=number, **wanted)
    stream = api.call("POST", "streams/", {"object_types": ["activity"], "key": examples.STREAM})
    assert stream.status == 200, stream.body
    webhook = examples.BODIES["PUT", "streams/{stream}/webhook"]
    assert api.call("PUT", f"streams/{examples.STREAM}/webhook/", webhook).status == 200


def with_address(value: Any, address: str) -> Any:
    """Query or body with the address of a picture that is there for the one of the examples."""
    told = examples.BODIES["POST", "images/refresh"]["url"]
    if isinstance(value, dict) and value.get("url") == told:
        return {**value, "url": address}
    return value
