"""Rows of two tables whose owners are followed, by keys to the parent's and to the child's."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Building(models.Model):
    """The parent, which has the owner."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")


class Tower(Building):
    """A child, which inherits the owner."""

    floors = models.PositiveIntegerField(default=1)


class Station(Building):
    """Another child: the same building may be both."""


class BuildingWatch(models.Model):
    """A key to the parent."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    house = models.ForeignKey(Building, models.CASCADE, related_name="+")


class TowerWatch(models.Model):
    """A key to the child."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    house = models.ForeignKey(Tower, models.CASCADE, related_name="+")
