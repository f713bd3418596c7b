"""The OpenAPI description tells of reactions, users, collections, files and open graph data."""

import pytest

from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.openapi.document import document
from django_stream.server.openapi.object_bodies import OBJECT_BODIES, OBJECT_QUERIES, UPLOADS
from django_stream.server.openapi.stream_bodies import STREAM_BODIES, STREAM_QUERIES

OBJECTS = {"reactions", "users", "collections", "files", "url"}
ROWS = {(endpoint.method, endpoint.pattern) for endpoint in ENDPOINTS if endpoint.resource in OBJECTS}


def test_every_body_and_query_belongs_to_an_endpoint():
    elsewhere = {("POST", "data_privacy/delete_reactions")}
    assert set(OBJECT_BODIES) - ROWS == elsewhere
    assert set(OBJECT_QUERIES) - ROWS == set()


def test_every_endpoint_that_takes_a_body_says_which():
    without = {("PUT", "reaction/{reaction}/restore"), *(("POST", path) for path in UPLOADS)}
    assert {row for row in ROWS if row[0] in ("POST", "PUT")} - set(OBJECT_BODIES) == without


@pytest.mark.parametrize("path", sorted(UPLOADS))
def test_an_upload_is_described_as_one(path):
    content = document()["paths"][f"/{path}/"]["post"]["requestBody"]["content"]
    assert list(content) == ["multipart/form-data"]


def test_streams_and_filters_are_described():
    rows = {(one.method, one.pattern) for one in ENDPOINTS if one.resource == "streams"}
    assert {row for row in rows if row[0] in ("POST", "PUT")} == set(STREAM_BODIES)
    assert set(STREAM_QUERIES) <= rows
