"""The address of the API itself tells a person what this is, wherever it is."""

import pytest
from django.test import Client
from django.urls import include, path

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
API = "django_stream.server.urls"
urlpatterns = [path("api/v1.0/", include(API)), path("sites/feeds/", include(API))]


@pytest.mark.parametrize("address", ["/api/v1.0/", "/sites/feeds/"])
def test_it_leads_on_without_a_token_or_a_query(client, address, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get(address)
    told = answer.json()
    assert told.pop("about").startswith("This is a server of the Stream feeds API")
    assert told == {name: f"http://testserver{address}{name}/" for name in ("schema", "health", "ready")}
    assert {client.get(url).status_code for url in told.values()} == {200}
    assert client.head(address).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_any_other_method_is_a_call_to_no_endpoint(method):
    answer = Client(enforce_csrf_checks=True).generic(method, "/api/v1.0/")
    assert (answer.status_code, answer.json()["exception"]) == (404, "DoesNotExistException")
    assert Client().options("/api/v1.0/")["Access-Control-Allow-Methods"]
