"""Which tables make up the record."""

from django.apps import apps
from django.db import models

from audit.models import AccessLog, AuditEvent, RetentionProof


def tracked_models() -> list[type[models.Model]]:
    """Every model with a history, by its label."""
    tracked = [model for model in apps.get_models() if hasattr(model._meta, "simple_history_manager_attribute")]
    return sorted(tracked, key=lambda model: model._meta.label)


def historical_model(model: type[models.Model]) -> type[models.Model]:
    """The historical model of a tracked one."""
    manager = getattr(model, model._meta.simple_history_manager_attribute)  # type: ignore[attr-defined]
    historical: type[models.Model] = manager.model
    return historical


def retainable_models() -> list[type[models.Model]]:
    """The models whose rows retention may mask or remove: events, the access log and all history."""
    return [AuditEvent, AccessLog, *(historical_model(model) for model in tracked_models())]


def sealed_models() -> list[type[models.Model]]:
    """The models whose rows are sealed: the record, and the proofs of what retention did to it."""
    return [*retainable_models(), RetentionProof]
