"""The promises of the scheme §7 (processing times) as rows with dates."""

from datetime import date

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VALID_FROM = date(2020, 1, 1)
STANDARDS = [
    ("BATCH_PROCESSED", 1, "WORKING_DAYS"),
    ("REFERRAL_BOOKABLE", 24, "HOURS"),
    ("WITHDRAWAL_ACTED_ON", 4, "HOURS"),
    ("OUTCOME_REPORTED", 1, "WORKING_DAYS"),
    ("REGISTER_CLOSED", 2, "HOURS"),
]


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    standard = apps.get_model("oversight", "Standard")
    standard.objects.bulk_create(
        standard(promise=promise, amount=amount, unit=unit, valid_from=VALID_FROM)
        for promise, amount, unit in STANDARDS
    )


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("oversight", "Standard").objects.filter(valid_from=VALID_FROM).delete()


class Migration(migrations.Migration):
    dependencies = [("oversight", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
