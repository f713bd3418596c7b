"""Settings of the measurements: one database, named by DATABASE_URL, and an API that only takes time."""

import dj_database_url

SECRET_KEY = "benchmarks"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": dj_database_url.config()}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_stream",
    "benchmarks.publishing",
]
STREAM_TRANSPORT = "benchmarks.publishing.stub.Stub"
# A failing drain is part of no measurement.
LOGGING = {"version": 1, "disable_existing_loggers": False}
