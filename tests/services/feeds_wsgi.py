"""The API on its own host; large fan-outs go to its worker where a broker is configured."""

from django.core.wsgi import get_wsgi_application

from tests.services.celery_app import app

application = get_wsgi_application()
app.set_default()
