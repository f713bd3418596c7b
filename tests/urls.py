"""URLs of the test project: the Stream API where the clients expect it, and the admin."""

from django.contrib import admin
from django.urls import include, path

handler400 = "django_stream.server.views.errors.bad_request"

urlpatterns = [
    path("api/v1.0/", include("django_stream.server.urls")),
    path("admin/", admin.site.urls),
]
