"""The site's pages, its own API, the Stream API that serves its feeds, and the admin."""

from django.contrib import admin
from django.urls import include, path

handler400 = "django_stream.server.views.errors.bad_request"

urlpatterns = [
    path("", include("example_project.social.urls")),
    path("feeds/", include("django_stream.api.urls")),
    path("emails/", include("django_stream.notifications.urls")),
    path("api/v1.0/", include("django_stream.server.urls")),
    path("admin/", admin.site.urls),
]
