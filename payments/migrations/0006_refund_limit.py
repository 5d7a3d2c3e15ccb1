"""The limit above which a refund asked for by hand needs a second person: a default of ours (scheme §5)."""

from datetime import date

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VALID_FROM = date(2020, 1, 1)
OVER_PENCE = 150_00


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("payments", "RefundLimit").objects.create(valid_from=VALID_FROM, over_pence=OVER_PENCE)


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("payments", "RefundLimit").objects.filter(valid_from=VALID_FROM).delete()


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_refunds_decided")]
    operations = [migrations.RunPython(add, remove)]
