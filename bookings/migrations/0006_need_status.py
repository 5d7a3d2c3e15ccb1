"""What was recorded as arranged has the status that says so; what is not is due three days after it was told."""

import datetime as dt

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F
from django.db.models.functions import TruncDate


def to_status(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    needs = apps.get_model("bookings", "Need").objects
    needs.filter(is_arranged=True).update(status="ARRANGED")
    needs.update(due_on=TruncDate(F("told_at") + dt.timedelta(days=3)))


def to_flag(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("bookings", "Need").objects.exclude(status="OPEN").update(is_arranged=True)


class Migration(migrations.Migration):
    dependencies = [("bookings", "0005_need_tasks")]
    operations = [migrations.RunPython(to_status, to_flag)]
