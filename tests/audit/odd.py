"""A tracked model with every awkwardness that a model of the portal might have, made for the tests alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models
from django.test.utils import isolate_apps

from audit.history import History


@contextmanager
def odd_model() -> Iterator[Any]:
    """The model's class, its tables made in the present transaction or for good."""
    with isolate_apps("audit"):

        class Odd(models.Model):
            key = models.CharField(primary_key=True, max_length=20, db_column="Order")
            text = models.TextField(null=True)  # noqa: DJ001
            select = models.IntegerField(default=0)
            data = models.JSONField(default=dict)
            raw = models.BinaryField(null=True)
            doubled = models.GeneratedField(
                expression=models.F("select") * 2, output_field=models.IntegerField(), db_persist=True
            )
            parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)
            secret = models.TextField(default="")
            claimed_until = models.DateTimeField(null=True)
            attempts = models.IntegerField(default=0)
            history = History(excluded_fields=["secret", "claimed_until", "attempts"])

            class Meta:
                app_label = "audit"
                db_table = "odd_Table"

            def __str__(self) -> str:
                return self.key

        historical = Odd.history.model
        with connection.schema_editor(atomic=False) as editor:
            editor.create_model(Odd)
            editor.create_model(historical)
        yield Odd
