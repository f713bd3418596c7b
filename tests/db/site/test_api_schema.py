"""What drf-spectacular says of the site's own API: everything, and without a warning."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extras import needs

pytestmark = [needs("spectacular"), pytest.mark.urls("tests.db.site.urls")]


def test_every_endpoint_is_described_without_a_warning(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
    from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.validation import validate_schema

    from django_stream.api import schema as _  # noqa: F401  as AppConfig.ready() does
    from django_stream.api.urls import urlpatterns

    reset_generator_stats()
    schema = SchemaGenerator().get_schema(request=None, public=True)

    assert not GENERATOR_STATS, capsys.readouterr().err
    assert capsys.readouterr().err == ""
    validate_schema(schema)
    assert len(schema["paths"]) == len(urlpatterns)
    operations = {
        (path, method): one for path, methods in schema["paths"].items() for method, one in methods.items()
    }
    ids = [one["operationId"] for one in operations.values()]
    assert len(set(ids)) == len(ids) == 17
    for (path, method), one in operations.items():
        assert one["responses"].keys() <= {"200", "201", "204"}
        described = one["responses"].get("200") or one["responses"].get("201")
        assert described is None or described["content"], (path, method)
        assert ("requestBody" in one) is (
            method in ("post", "patch") and "token" not in path and "follow" not in path
        )
