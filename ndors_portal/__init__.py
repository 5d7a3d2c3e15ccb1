"""The project: settings, root addresses, the Celery app and health."""

from ndors_portal.celery import app as celery_app

__all__ = ["celery_app"]
