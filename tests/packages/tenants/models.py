"""The tenants, in the schema that all share."""

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Tenant(TenantMixin):
    name = models.CharField(max_length=50)


class Domain(DomainMixin):
    pass
