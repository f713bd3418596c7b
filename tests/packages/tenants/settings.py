"""Settings of a site with a schema of PostgreSQL for each tenant, and tasks that run in the tenant's."""

from __future__ import annotations

import dj_database_url

SECRET_KEY = "tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.packages.tenants.urls"

DATABASES = {
    "default": dj_database_url.config(
        default="postgres://postgres@127.0.0.1:5432/postgres", engine="django_tenants.postgresql_backend"
    )
}
DATABASES["default"]["TEST"] = {"NAME": f"test_tenants_{DATABASES['default']['NAME']}"}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"

SHARED_APPS = ["django_tenants", "tests.packages.tenants"]
TENANT_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_stream",
    "django_stream.server",
    "tests.packages.tenants.notes",
]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
