"""Requests that are signed and carry no token, as the PHP client and old JavaScript ones send them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from email.utils import formatdate
from typing import Any

import pytest
import requests

from django_stream.protocol.credentials import EMBEDDED_API_KEY, embedded_secret
from tests.served.conftest import Served

SECRET = embedded_secret("tests")
ACTIVITY = {"actor": "ann", "verb": "post", "object": "1"}


def signed(
    served: Served, path: str, body: Any, *, secret: str = SECRET, at: float | None = None, **changed: str
) -> Any:
    """A call in the PHP client's form; `changed` is what somebody in between made of it."""
    target = f"/api/v1.0/{path}{'&' if '?' in path else '?'}api_key={EMBEDDED_API_KEY}"
    date = formatdate(time.time() if at is None else at, usegmt=True)
    text = f"(request-target): post {target}\ndate: {date}"
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    parts = {
        "keyId": EMBEDDED_API_KEY,
        "algorithm": "hmac-sha256",
        "headers": "(request-target) date",
        "signature": signature,
    }
    parts |= {name: value for name, value in changed.items() if name in parts}
    return requests.post(
        f"{served.url}{changed.get('target', target)}",
        data=json.dumps(body),
        headers={
            "Authorization": "Signature " + ",".join(f'{name}="{value}"' for name, value in parts.items()),
            "Content-Type": "application/json",
            "Date": changed.get("date", date),
            "X-Api-Key": EMBEDDED_API_KEY,
        },
        timeout=60,
    )


def test_the_batch_calls_are_open_to_signed_requests(served: Served):
    follows = [{"source": "timeline:signed", "target": "user:signed"}]
    answers = [
        signed(served, "feed/add_to_many/", {"activity": ACTIVITY, "feeds": ["user:signed"]}),
        signed(served, "follow_many/?activity_copy_limit=10", follows),
    ]
    assert [answer.status_code for answer in answers] == [201, 201], [answer.text for answer in answers]
    assert [item["object"] for item in served.api.page("user:signed")] == ["1"]
    served.api.post("user:signed", object="2")
    assert [item["object"] for item in served.api.page("timeline:signed")] == ["2"]
    assert signed(served, "unfollow_many/", follows).status_code == 201
    assert served.api.page("timeline:signed") == []


def test_the_oldest_clients_sign_the_date_alone_and_name_the_key_in_a_header(served: Served):
    date = formatdate(usegmt=True)
    digest = hmac.new(SECRET.encode(), f"date: {date}".encode(), hashlib.sha256).digest()
    parts = f'keyId="{EMBEDDED_API_KEY}",algorithm="hmac-sha256",headers="date"'
    headers = {
        "Authorization": f'Signature {parts},signature="{base64.b64encode(digest).decode()}"',
        "Date": date,
        "X-Api-Key": EMBEDDED_API_KEY,
    }
    url = f"{served.url}/api/v1.0/"
    answer = requests.post(f"{url}follow_many/", json=[], headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text
    # It opens the batch calls and nothing else.
    for refused in (
        requests.get(f"{url}users/?ids=a", headers=headers, timeout=60),
        requests.post(f"{url}users/", json={"users": []}, headers=headers, timeout=60),
        requests.get(f"{url}feed/user/1/", headers=headers, timeout=60),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, 17)


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"secret": "another"}, 403, 17),
        ({"at": 0}, 403, 17),
        ({"at": 4e9}, 403, 17),
        ({"target": f"/api/v1.0/unfollow_many/?api_key={EMBEDDED_API_KEY}"}, 403, 17),
        ({"date": "Sat, 31 Jan 2026 12:00:00 GMT"}, 403, 17),
        ({"date": "yesterday"}, 401, 3),
        ({"keyId": "another"}, 401, 3),
        ({"algorithm": "hmac-sha1"}, 401, 3),
        ({"headers": "date"}, 403, 17),
        ({"headers": "(request-target)"}, 401, 3),
        ({"headers": "date host"}, 401, 3),
        ({"signature": "é"}, 401, 3),
        ({"signature": ""}, 403, 17),
    ],
    ids=str,
)
def test_what_is_not_signed_now_by_the_secret_is_refused(served: Served, more: Any, status: int, code: int):
    answer = signed(served, "follow_many/", [{"source": "timeline:no", "target": "user:no"}], **more)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert served.api.ok("GET", "feed/timeline/no/follows/") == {"results": []}
