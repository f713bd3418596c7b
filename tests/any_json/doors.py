"""A site whose feeds are written by every way in, and read by every door."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django_stream.client import StreamClient
from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.server.conf import server_settings
from tests.any_json.values import IGNORED, members, same
from tests.contract.calling import Api, token

_SCRIPT = re.compile(
    r'<article id="([^"]+)"><script type="application/json">(.*?)</script></article>', re.DOTALL
)
_FIELD = re.compile(r'field-custom.*?<div class="readonly">(.*?)</div>\n', re.DOTALL)
ADDED = frozenset(
    {
        *("id", "origin", "score", "score_vars", "latest_reactions", "latest_reactions_extra"),
        *("own_reactions", "reaction_counts", "first_reactions"),
    }
)
"""What an answer says of an activity beside what was sent."""


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Http = Callable[[str, str, bytes, dict[str, str]], Answer]


@dataclass(frozen=True)
class Doors:
    """`http` sends method, address, body and headers as the signed-in user, who is a superuser."""

    api: Api
    http: Http
    user_id: str

    def prepare(self) -> None:
        """The user's news follow what they do."""
        for source in ("timeline", "timeline_aggregated"):
            self.api.follow(f"{source}:{self.user_id}", f"user:{self.user_id}")

    @cached_property
    def client(self) -> StreamClient:
        return StreamClient(self.api.api_key, server_settings.own_secret, transport=self.api.transport)

    def get(self, address: str) -> Answer:
        """A page of the site, which must be there."""
        answer = self.http("GET", address, b"", {})
        assert answer.status == 200, (address, answer)
        return answer

    def send(self, path: str, body: bytes) -> Answer:
        """Raw bytes to an endpoint of the API; the answer must be told as the API tells everything."""
        headers = {"Authorization": token(), "Stream-Auth-Type": "jwt", "Content-Type": "application/json"}
        answer = self.http("POST", f"/api/v1.0/{path}?api_key={EMBEDDED_API_KEY}", body, headers)
        assert answer.content_type == "application/json"
        told = answer.json()
        assert told["duration"].endswith("ms")
        if answer.status != 201:
            assert 400 <= answer.status < 500, told
            assert told["status_code"] == answer.status
            assert told["detail"]
        return answer

    # Activities

    def activity(self, verb: str = "dump", **fields: Any) -> dict[str, Any]:
        """One by the signed-in user, who is told of it as well."""
        actor, to = f"auth.User:{self.user_id}", [f"notification:{self.user_id}"]
        return {"actor": actor, "verb": verb, "object": "o", "to": to, **fields}

    @property
    def home(self) -> str:
        return f"feed/user/{self.user_id}/"

    def remove(self, activity_id: str) -> None:
        self.api.ok("DELETE", f"{self.home}{activity_id}/")

    def check_activity(self, activity_id: str, sent: dict[str, Any]) -> None:
        """Every door tells the custom fields as they were sent, and none fails."""
        expected = {name: value for name, value in sent.items() if name not in IGNORED}
        for door, found in self._told(activity_id):
            names = (expected.keys() | found.keys()) - ADDED - {"actor", "time", "target", "foreign_id"}
            for name in names:
                assert name in found, (door, name, "is missing")
                assert name in expected, (door, name, "was never sent")
                assert self._same(door, expected[name], found[name]), (
                    door,
                    name,
                    expected[name],
                    found[name],
                )
        for door, value in self._shown(activity_id):
            assert same(expected.get("custom", ""), value), (door, expected.get("custom"), value)
        assert activity_id in self.get(self._explorer).body.decode()

    @staticmethod
    def _same(door: str, sent: Any, found: Any) -> bool:
        """Enrichment puts an object in the place of a reference, or one that says that there is none."""
        is_reference = isinstance(sent, str) and sent[:3] in ("SU:", "SO:", "SA:", "SR:")
        if door.startswith("enrich/") and is_reference and isinstance(found, dict):
            return "id" in found
        return same(sent, found)

    def _told(self, activity_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        with_reactions = {"with_recent_reactions": "true", "with_reaction_counts": "true"}
        pages: list[tuple[str, dict[str, str]]] = [
            (f"{prefix}feed/{slug}/{self.user_id}/", query)
            for slug in ("user", "timeline", "timeline_aggregated", "notification")
            for prefix, query in (("", {}), ("enrich/", with_reactions))
        ]
        pages += [(f"{prefix}{self.home}", {"ranking": "by_n"}) for prefix in ("", "enrich/")]
        pages += [(f"{prefix}activities/", {"ids": activity_id}) for prefix in ("", "enrich/")]
        for path, query in pages:
            found = self.api.ok("GET", path, **({} if "ids" in query else {"limit": "100"}), **query)
            yield path, self._one(activity_id, found["results"], path)
        found = self.client.feed("user", self.user_id).get(limit=100)
        yield "client", self._one(activity_id, found["results"], "client")
        for slug in ("user", "timeline", "timeline_aggregated", "notification"):
            found = self.get(f"/feeds/{slug}/?limit=100").json()
            yield f"site {slug}", self._one(activity_id, found["results"], slug)

    def _shown(self, activity_id: str) -> Iterator[tuple[str, Any]]:
        for slug in ("user", "timeline", "timeline_aggregated", "notification"):
            shown = dict(_SCRIPT.findall(self.get(f"/pages/{slug}/").body.decode()))
            assert activity_id in shown, (slug, shown)
            yield f"page {slug}", json.loads(shown[activity_id])

    @staticmethod
    def _one(activity_id: str, entries: list[dict[str, Any]], door: str) -> dict[str, Any]:
        found = [one for one in members(entries) if one["id"] == activity_id]
        assert len(found) == 1, (door, entries)
        return found[0]

    @cached_property
    def _explorer(self) -> str:
        """The admin's page of the user's own feed."""
        listed = self.get(f"/admin/django_stream_server/feed/?q={self.user_id}").body.decode()
        found = re.search(
            rf'href="(/admin/django_stream_server/feed/\d+/change/)[^"]*">user:{self.user_id}<', listed
        )
        assert found is not None, listed
        return found[1]

    # Everything else

    def check_page(self) -> None:
        """Every page of the site opens, whatever is on it."""
        for slug in ("user", "timeline", "timeline_aggregated", "notification"):
            self.get(f"/feeds/{slug}/?limit=100")
            self.get(f"/pages/{slug}/")
        self.get(self._explorer)

    def told_by_admin(self, flag_id: str) -> Any:
        """The custom data of a report, on its page in the admin."""
        self.get("/admin/django_stream_server/moderationflag/")
        page = self.get(f"/admin/django_stream_server/moderationflag/{flag_id}/change/").body.decode()
        found = _FIELD.search(page)
        assert found is not None, page
        # Django shows what is empty by a dash.
        return {} if found[1] == "-" else json.loads(html.unescape(found[1]))
