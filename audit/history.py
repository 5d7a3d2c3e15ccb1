"""The history of a model, written by the database.

`history = History()` in a model's body is all there is to do. It keeps django-simple-history's historical model, its
manager (`Model.history.as_of(...)`) and admin pages, but none of its signals: statement-level triggers fill the
historical table, so that `save()`, `bulk_create()`, `.update()`, COPY and psql are all recorded alike.
`makemigrations` puts the triggers into the migrations of the app that owns the model.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.signals import post_delete, post_save, pre_delete
from simple_history.models import HistoricalRecords

from common.triggers import Joining, Unskippable

# Owns the only functions that may mask or remove rows of the record; nobody signs in as it.
RETENTION_ROLE = "ndors_retention"
USER_KINDS = frozenset({"staff", "officer", "trainer"})


def append_only(*, retention: bool = True) -> Unskippable:
    """The trigger by which a table refuses UPDATE, DELETE and TRUNCATE.

    With `retention`, the functions of the retention role may still mask and remove, which leaves a proof.
    """
    exception = f"IF current_user = '{RETENTION_ROLE}' THEN RETURN NULL; END IF;" if retention else ""
    return Unskippable(
        name="append_only",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func=f"""{exception}
                    RAISE EXCEPTION 'the record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
                        USING ERRCODE = 'integrity_constraint_violation';""",
    )


class HistoryRow(models.Model):
    """The columns every historical table has beside those of its model, named so that they hide none of these."""

    history_actor = models.TextField(default="", help_text="who did it, as staff:7; empty where nobody said")
    history_on_behalf_of = models.TextField(default="")
    history_reason = models.TextField(default="")

    class Meta:
        abstract = True

    @property
    def history_user(self) -> str:
        """What django-simple-history's pages show as "changed by"."""
        who, whom = self.history_actor, self.history_on_behalf_of
        return f"{who} for {whom}" if whom else who

    @property
    def history_user_id(self) -> str:
        """The key of the user who acted, for the link those pages make; empty where it was no user."""
        kind, _, key = self.history_actor.partition(":")
        return key if kind in USER_KINDS else ""

    @property
    def history_change_reason(self) -> str:
        """What django-simple-history's pages show as "change reason"."""
        return self.history_reason


class History(HistoricalRecords):
    """Tracks the model in whose body it stands.

    `excluded_fields` names fields that are not recorded; a change to them alone leaves no row. Generated columns
    follow from others and are never recorded.
    """

    def __init__(self, *, excluded_fields: Iterable[str] = (), **options: Any) -> None:
        super().__init__(
            bases=(HistoryRow,),
            excluded_fields=list(excluded_fields),
            history_id_field=models.BigAutoField(),
            **options,
        )

    def add_extra_methods(self, cls: type[models.Model]) -> None:
        """Nothing: there is no saving without a record."""

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Make the historical model, without signals, and give the tracked model its triggers."""
        had_history = hasattr(sender._meta, "simple_history_manager_attribute")
        super().finalize(sender, **kwargs)
        if had_history or not hasattr(sender._meta, "simple_history_manager_attribute"):
            return  # a class_prepared of some other model
        post_save.disconnect(self.post_save, sender=sender)
        post_delete.disconnect(self.post_delete, sender=sender)
        pre_delete.disconnect(self.pre_delete, sender=sender)
        historical = getattr(sender, self.manager_name).model
        add_triggers(sender, history_triggers(sender, historical, self.fields_included(sender)))

    def fields_included(self, model: type[models.Model]) -> list[models.Field]:
        """The recorded fields."""
        fields = [field for field in super().fields_included(model) if not field.generated]
        hidden = [field.name for field in fields if field.name.startswith("history_")]
        if hidden:
            raise ImproperlyConfigured(f"{model._meta.label}: history has columns of its own named like {hidden}")
        return fields

    def copy_fields(self, model: type[models.Model]) -> dict[str, models.Field]:
        """The recorded fields as the historical table has them: quick to fill, indexed by the model's key alone."""
        fields: dict[str, models.Field] = super().copy_fields(model)
        key = _key(model)
        for name, field in fields.items():
            field.db_index = name == key.name  # type: ignore[attr-defined]
        return fields

    def get_extra_fields(self, model: type[models.Model], fields: dict[str, models.Field]) -> dict[str, Any]:
        """django-simple-history's own columns, less the user and the reason: `HistoryRow` has them."""
        extra: dict[str, Any] = super().get_extra_fields(model, fields)
        del extra["history_change_reason"]
        extra["history_date"] = models.DateTimeField()
        return extra

    def _get_history_user_fields(self) -> dict[str, Any]:
        return {}

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Append-only, read by nobody but who may see the model, found by date through an index of a few pages."""
        options: dict[str, Any] = super().get_meta_options(model)
        return options | {
            "default_permissions": ("view",),
            "indexes": [BrinIndex(fields=["history_date"])],
            "triggers": [append_only()],
        }


def add_triggers(model: type[models.Model], triggers: Sequence[pgtrigger.Trigger]) -> None:
    """Give a model triggers beside those of its Meta, before django-pgtrigger collects them."""
    both = [*getattr(model._meta, "triggers", []), *triggers]
    model._meta.triggers = both  # type: ignore[attr-defined]
    model._meta.original_attrs["triggers"] = both


def history_triggers(
    model: type[models.Model], historical: type[models.Model], fields: Iterable[models.Field]
) -> list[pgtrigger.Trigger]:
    """The triggers that fill `historical` from every statement on `model`, and one that bars the ways around them."""
    key = f'"{_key(model).column}"'
    columns = [f'"{field.column}"' for field in fields]
    table = f'"{historical._meta.db_table}"'
    listed = ", ".join(columns)

    def insert(kind: str, rows: str) -> str:
        return f"""INSERT INTO {table} (
                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,
                        {listed})
                    SELECT clock_timestamp(), '{kind}', _actor, _on_behalf_of, _reason,
                        {_listed(columns, "r")}
                    FROM {rows};
                    RETURN NULL;"""  # noqa: S608 - names from the models

    changed = f"""new_rows r JOIN old_rows o ON r.{key} = o.{key}
                    WHERE ROW({_listed(columns, "r")})
                        IS DISTINCT FROM ROW({_listed(columns, "o")})"""
    declare = [
        (f"_{setting}", f"text := coalesce(current_setting('app.{setting}', true), '')")
        for setting in ("actor", "on_behalf_of", "reason")
    ]
    return [
        Unskippable(
            name="history_insert",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="new_rows"),
            declare=declare,
            func=insert("+", "new_rows r"),
        ),
        Joining(
            name="history_update",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
            declare=declare,
            func=insert("~", changed),
        ),
        Unskippable(
            name="history_delete",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Delete,
            referencing=pgtrigger.Referencing(old="old_rows"),
            declare=declare,
            func=insert("-", "old_rows r"),
        ),
        # TRUNCATE has no transition table, and an update that changed a key would part a row from its history.
        Unskippable(
            name="history_guard",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.UpdateOf(_key(model).column) | pgtrigger.Truncate,
            func="""RAISE EXCEPTION 'a recorded row keeps its key and is never truncated: % of %',
                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';""",
        ),
    ]


def _key(model: type[models.Model]) -> models.Field:
    key = model._meta.pk
    if key is None:
        raise ImproperlyConfigured(f"{model._meta.label} has no key to record it by")
    return key


def _listed(columns: Iterable[str], alias: str) -> str:
    return ", ".join(f"{alias}.{column}" for column in columns)
