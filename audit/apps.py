from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "The record"

    def ready(self) -> None:
        """Have every connection, and COPY, tell the database who acts; keep the retention role's grants complete."""
        from audit import context, retention
        from common import copy

        def wrap(connection: Any, **_: Any) -> None:
            context.install(connection)

        connection_created.connect(wrap, weak=False, dispatch_uid="audit.context")
        for connection in connections.all(initialized_only=True):
            context.install(connection)
        copy.before_copy(context.apply)
        post_migrate.connect(retention.grant_after_migrating, sender=self, dispatch_uid="audit.retention")
