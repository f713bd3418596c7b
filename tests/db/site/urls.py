"""The test project with the site's own API."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("feeds/", include("django_stream.api.urls")), path("admin/", admin.site.urls)]
