from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tests.packages.tenants"
    label = "tenants"
