"""A project that used every mixin goes on without us: docs/upgrading.md, step by step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

SETTINGS = """
SECRET_KEY = "a project"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "project.sqlite3"}}
OURS = ["django_stream", "django_stream.server"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", *OURS, "shop"]
AUTH_USER_MODEL = "shop.Customer"
"""
MODELS = """
from django.contrib.auth.models import AbstractUser
from django.db import models
from django_stream.models import *


class Customer(UserMixin, AbstractUser):
    pass


class Product(CollectionMixin, models.Model):
    title = models.CharField(max_length=50)


class Review(ActivityMixin, models.Model):
    user = models.ForeignKey(Customer, models.CASCADE)
    product = models.ForeignKey(Product, models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)


class Like(ReactionMixin, models.Model):
    user = models.ForeignKey(Customer, models.CASCADE)
    review = models.ForeignKey(Review, models.CASCADE)

    class Reaction:
        activity = "review"


class Follow(FollowMixin, models.Model):
    follower = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    followed = models.ForeignKey(Customer, models.CASCADE, related_name="+")
"""
MIXINS = ("UserMixin", "CollectionMixin", "ActivityMixin", "ReactionMixin", "FollowMixin")
FILL = """
from shop.models import *

ada = Customer.objects.create_user("ada")
review = Review.objects.create(user=ada, product=Product.objects.create(title="tea"))
Like.objects.create(user=ada, review=review)
"""


def without_us(models: str) -> str:
    lines = [line for line in models.splitlines() if "django_stream" not in line]
    text = "\n".join(lines)
    for mixin in MIXINS:
        text = text.replace(f"({mixin}, ", "(")
    return text


def test_the_steps_of_removing_leave_a_project_that_runs(tmp_path: Path) -> None:
    def manage(*command: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
        done = subprocess.run(
            [sys.executable, "-m", "django", *command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "__init__.py").touch()
    (shop / "models.py").write_text(MODELS)
    (tmp_path / "settings.py").write_text(SETTINGS)
    manage("makemigrations", "shop")
    assert "django_stream" not in (shop / "migrations" / "0001_initial.py").read_text()
    manage("migrate")
    manage("shell", "-c", FILL)

    (shop / "models.py").write_text(without_us(MODELS))
    manage("makemigrations", "--check", "--dry-run")
    for label in ("django_stream_server", "django_stream"):
        manage("migrate", label, "zero")
    (tmp_path / "settings.py").write_text(SETTINGS.replace("*OURS, ", ""))
    manage("makemigrations", "--check", "--dry-run")
    manage("migrate", "--check")

    tables = manage("inspectdb")
    assert "DjangoStream" not in tables
    left = "from shop.models import *; print(Like.objects.get().review.product.title)"
    assert manage("shell", "-v", "0", "-c", left).strip() == "tea"
    assert "Mixin" not in (shop / "models.py").read_text()
