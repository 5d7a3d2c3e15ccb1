"""The regulated fees: the last published police cost recovery and levy, and our default totals (DOMAIN.md section 5)."""

from datetime import date

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VALID_FROM = date(2020, 1, 1)
POLICE_PENCE = 45_00
LEVY_PENCE = 3_00
TOTALS = [
    (("NSAC", "NMAC", "WDU", "NRRAC"), ("DIGITAL", "CLASSROOM"), 92_00),
    (("SCD",), ("ON_ROAD",), 185_00),
]


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    course_type = apps.get_model("courses", "CourseType")
    fee = apps.get_model("payments", "FeeSchedule")
    fee.objects.bulk_create(
        fee(
            course_type=course_type.objects.get(code=code),
            mode=mode,
            valid_from=VALID_FROM,
            total_pence=total,
            police_pence=POLICE_PENCE,
            levy_pence=LEVY_PENCE,
            vat_pence=0,
            provider_pence=total - POLICE_PENCE - LEVY_PENCE,
        )
        for codes, modes, total in TOTALS
        for code in codes
        for mode in modes
    )


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("payments", "FeeSchedule").objects.filter(valid_from=VALID_FROM).delete()


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
