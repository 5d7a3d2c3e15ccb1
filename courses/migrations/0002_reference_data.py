"""The national course models, those of the past that still bar an offer, and the versions KCC delivers today."""

from datetime import date

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VALID_FROM = date(2020, 1, 1)

# code, name, on the road, what the candidate is told
DELIVERED = [
    (
        "NSAC",
        "National Speed Awareness Course",
        False,
        "A course for drivers who were a little over the speed limit. You talk with a trainer and other drivers about "
        "why speed matters and how to keep to the limit. There is no test.",
    ),
    (
        "NMAC",
        "National Motorway Awareness Course",
        False,
        "A course about motorway rules: changing speed limits, the red X, and the hard shoulder. You talk with a "
        "trainer and other drivers about what the signs mean and why they are there. There is no test.",
    ),
    (
        "WDU",
        "What's Driving Us",
        False,
        "A course about how we make choices when we drive, for example at red lights, at crossings or when we are "
        "close to the car in front. You talk with a trainer and other drivers. There is no test.",
    ),
    (
        "NRRAC",
        "National Rider Risk Awareness Course",
        False,
        "A course for people who ride motorcycles and scooters. You talk with a trainer and other riders about the "
        "risks on the road and how to see them early. There is no test.",
    ),
    (
        "SCD",
        "Safe and Considerate Driving",
        True,
        "A one-day course in person. You talk with a trainer and other drivers in a classroom, and then drive on the "
        "road with a driving instructor beside you. There is no test.",
    ),
]
LEGACY = [
    ("NSAC-20", "National Speed Awareness Course (20 mph)"),
    ("NDAC", "National Driver Alertness Course"),
    ("D4C", "Driving 4 Change"),
    ("RIDE", "Rider Intervention Developing Experience"),
]

# mode: clients to one trainer, most clients, clients to a car, smallest class
SIZES = {
    "DIGITAL": (9, 9, None, 3),
    "CLASSROOM": (12, 24, None, 8),
    "ON_ROAD": (12, 12, 2, 2),
}
MINUTES = {"NSAC": 165, "NMAC": 165, "WDU": 180, "NRRAC": 180, "SCD": 480}


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    course_type = apps.get_model("courses", "CourseType")
    version = apps.get_model("courses", "CourseVersion")
    for code, name, is_on_road, summary in DELIVERED:
        kind = course_type.objects.create(code=code, name=name, is_on_road=is_on_road, summary=summary)
        for mode in ("ON_ROAD",) if is_on_road else ("DIGITAL", "CLASSROOM"):
            one_trainer, most, in_a_car, smallest = SIZES[mode]
            version.objects.create(
                course_type=kind,
                mode=mode,
                valid_from=VALID_FROM,
                duration_minutes=MINUTES[code],
                clients_per_trainer=one_trainer,
                max_clients=most,
                clients_per_car=in_a_car,
                smallest_class=smallest,
            )
    course_type.objects.bulk_create(course_type(code=code, name=name, is_delivered=False) for code, name in LEGACY)


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    codes = [row[0] for row in DELIVERED] + [row[0] for row in LEGACY]
    apps.get_model("courses", "CourseVersion").objects.filter(valid_from=VALID_FROM).delete()
    apps.get_model("courses", "CourseType").objects.filter(code__in=codes).delete()


class Migration(migrations.Migration):
    dependencies = [("courses", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
