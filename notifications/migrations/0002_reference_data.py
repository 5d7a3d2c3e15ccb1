"""The first reminders and chasers (DOMAIN.md §4, defaults)."""

from datetime import date, time

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VALID_FROM = date(2020, 1, 1)
TEN = time(10)
# kind, anchor, days, hours, London time of day, hours it is useful for
RULES = [
    ("reminder_7d", "COURSE_START", -7, 0, None, 5 * 24),
    ("reminder_48h", "COURSE_START", 0, -48, None, 46),
    ("reminder_2h", "COURSE_START", 0, -2, None, 2),
    ("joining_link", "COURSE_START", 0, -48, None, 48),
    ("chaser_offer", "OFFER", 7, 0, TEN, 48),
    ("chaser_offer", "OFFER", 14, 0, TEN, 48),
    ("chaser_offer", "OFFER", 21, 0, TEN, 48),
    ("chaser_complete_by", "COMPLETE_BY", -14, 0, TEN, 48),
    ("chaser_complete_by", "COMPLETE_BY", -7, 0, TEN, 48),
    ("chaser_complete_by", "COMPLETE_BY", -3, 0, TEN, 48),
    ("expiring", "BOOK_BY", -1, 0, TEN, 38),
]


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rule = apps.get_model("notifications", "ReminderRule")
    rule.objects.bulk_create(
        rule(kind=kind, anchor=anchor, days=days, hours=hours, at=at, useful_hours=useful_hours, valid_from=VALID_FROM)
        for kind, anchor, days, hours, at, useful_hours in RULES
    )


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("notifications", "ReminderRule").objects.filter(valid_from=VALID_FROM).delete()


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
