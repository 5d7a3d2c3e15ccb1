"""One valid row of any tracked model, and a change its table accepts: found, not listed, so that none is left out."""

import contextlib
import datetime as dt
import importlib
import itertools
import pkgutil
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from factory.django import DjangoModelFactory

import tests.factories

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)


def make(model: type[models.Model]) -> models.Model:
    """A row in the database: by its factory, else one that migrations put there, else filled in field by field."""
    made_by = _factories().get(model)
    if made_by is not None:
        row = made_by.create()
        assert isinstance(row, model)
        return row
    found = model._default_manager.order_by("pk").first()
    return found or _filled(model)


def changes(row: models.Model) -> Iterator[tuple[str, Any]]:
    """Attribute names of recorded columns with another value than `row` has, that might be stored."""
    historical = getattr(type(row), type(row)._meta.simple_history_manager_attribute).model  # type: ignore[attr-defined]
    for field in historical.tracked_fields:
        if field.primary_key or field.unique:
            continue
        for value in _others(field, getattr(row, field.attname)):
            yield field.attname, value


def twins(row: models.Model) -> Iterator[models.Model]:
    """Unsaved rows like `row` with a key and unique values of their own, each in another of the states there are."""
    key = row._meta.pk.attname
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.generated}
    values[key] = None
    for field in row._meta.concrete_fields:
        if field.unique and field.attname != key:
            values[field.attname] = next(_others(field, getattr(row, field.attname)))
    yield type(row)(**values)
    for field in row._meta.concrete_fields:
        if field.choices and field.attname not in {key}:
            yield from (type(row)(**values | {field.attname: choice}) for choice, _ in field.flatchoices)


def accepted_changes(row: models.Model, count: int) -> list[tuple[str, Any, Any]]:
    """`count` changes of one column that the table accepts one after the other: attribute, before, after."""
    by_attribute: dict[str, list[Any]] = {}
    for attribute, value in changes(row):
        try:
            with transaction.atomic():
                type(row)._base_manager.filter(pk=row.pk).update(**{attribute: value})
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
                transaction.set_rollback(True)
        except DatabaseError:
            continue
        by_attribute.setdefault(attribute, []).append(value)
    for attribute, values in by_attribute.items():
        if values:
            before = getattr(row, attribute)
            return [
                (attribute, *pair)
                for pair in zip([before, values[0]] * count, [values[0], before] * count, strict=True)
            ][:count]
    raise AssertionError(f"no recorded column of {type(row).__name__} can be changed")


@cache
def _factories() -> dict[type[models.Model], type[DjangoModelFactory[Any]]]:
    found: dict[type[models.Model], type[DjangoModelFactory[Any]]] = {}
    for info in pkgutil.iter_modules(tests.factories.__path__):
        module = importlib.import_module(f"tests.factories.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, DjangoModelFactory) and not value._meta.abstract:
                found.setdefault(value._meta.get_model_class(), value)
    return found


def _filled(model: type[models.Model]) -> models.Model:
    """The first combination of values that the table accepts."""
    candidates: dict[str, list[Any]] = {}
    later = NOW.replace(day=1)
    for field in model._meta.concrete_fields:
        if field.generated or isinstance(field, models.AutoField) or field.has_default() or field.null:
            continue
        if field.is_relation:
            candidates[field.name] = [make(field.related_model)]  # type: ignore[arg-type]
        elif isinstance(field, models.DateField):
            # Where dates are bound to follow one another, they are declared in that order.
            later = (later + dt.timedelta(days=31)).replace(day=1)
            candidates[field.name] = [later if isinstance(field, models.DateTimeField) else later.date()]
        else:
            candidates[field.name] = [*([""] if field.blank else []), *_others(field, None)]
    for values in itertools.islice(itertools.product(*candidates.values()), 500):
        with contextlib.suppress(IntegrityError), transaction.atomic():
            return model._base_manager.create(**dict(zip(candidates, values, strict=True)))
    raise AssertionError(f"no row of {model._meta.label} could be made: give it a factory")


def _others(field: "models.Field[Any, Any]", value: Any) -> Iterator[Any]:
    if field.is_relation:
        yield from field.related_model._base_manager.exclude(pk=value).values_list("pk", flat=True)[:3]  # type: ignore[union-attr]
        return
    if isinstance(field, ArrayField):
        yield from ([other] for other in _others(field.base_field, None) if [other] != value)
        return
    candidates = [key for key, _ in field.flatchoices] or next(
        (make_some(value) for kind, make_some in _CANDIDATES.items() if isinstance(field, kind)), []
    )
    yield from (other for other in candidates if other != value)


_DAY, _MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
# The first kind that fits; a special kind stands before the one it derives from.
_CANDIDATES: dict[type[Any], Callable[[Any], list[Any]]] = {
    models.BooleanField: lambda _: [True, False],
    models.UUIDField: lambda _: [uuid.UUID(int=7), uuid.UUID(int=8)],
    models.EmailField: lambda _: ["a@example.org", "b@example.org"],
    models.CharField: lambda _: ["A1", "B2"],
    models.TextField: lambda _: ["A1", "B2"],
    models.FileField: lambda _: ["A1", "B2"],
    models.DateTimeField: lambda value: [value + _MINUTE] if value else [NOW, NOW + _DAY],
    models.DateField: lambda value: [value + _DAY] if value else [NOW.date(), NOW.date() + _DAY],
    models.DecimalField: lambda _: [Decimal(1), Decimal(2)],
    models.IntegerField: lambda value: [value + 1 if value is not None else 1, 7],
    models.JSONField: lambda _: [{"a": 1}, {"b": 2}],
    models.BinaryField: lambda _: [b"a", b"b"],
}
