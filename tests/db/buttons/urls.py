"""The test project with what buttons post to."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseNotFound
from django.urls import include, path


def handler404(request: HttpRequest, exception: Exception) -> HttpResponseNotFound:
    """The example's page of that name has links that this project has not."""
    return HttpResponseNotFound()


urlpatterns = [path("stream/", include("django_stream.urls")), path("admin/", admin.site.urls)]
