"""The test project with the site's own API, and the links of e-mails."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("feeds/", include("django_stream.api.urls")),
    path("notifications/", include("django_stream.notifications.urls")),
    path("admin/", admin.site.urls),
]
