"""The police forces of England and Wales by their two digits, their outcome sequences, and which course bars which."""

from datetime import date

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VALID_FROM = date(2020, 1, 1)
FORCES = {
    "01": "Metropolitan Police",
    "03": "Cumbria",
    "04": "Lancashire",
    "05": "Merseyside",
    "06": "Greater Manchester",
    "07": "Cheshire",
    "10": "Northumbria",
    "11": "Durham",
    "12": "North Yorkshire",
    "13": "West Yorkshire",
    "14": "South Yorkshire",
    "16": "Humberside",
    "17": "Cleveland",
    "20": "West Midlands",
    "21": "Staffordshire",
    "22": "West Mercia",
    "23": "Warwickshire",
    "30": "Derbyshire",
    "31": "Nottinghamshire",
    "32": "Lincolnshire",
    "33": "Leicestershire",
    "34": "Northamptonshire",
    "35": "Cambridgeshire",
    "36": "Norfolk",
    "37": "Suffolk",
    "40": "Bedfordshire",
    "41": "Hertfordshire",
    "42": "Essex",
    "43": "Thames Valley",
    "44": "Hampshire",
    "45": "Surrey",
    "46": "Kent",
    "47": "Sussex",
    "48": "City of London",
    "50": "Devon and Cornwall",
    "52": "Avon and Somerset",
    "53": "Gloucestershire",
    "54": "Wiltshire",
    "55": "Dorset",
    "60": "North Wales",
    "61": "Gwent",
    "62": "South Wales",
    "63": "Dyfed-Powys",
}
# Course offered: courses that bar it for three years.
BLOCKS = {
    "NSAC": ("NSAC", "NSAC-20"),
    "NMAC": ("NMAC",),
    "WDU": ("WDU", "SCD", "NRRAC", "D4C", "NDAC", "RIDE"),
    "SCD": ("SCD", "WDU", "NRRAC", "NDAC"),
    "NRRAC": ("NRRAC", "WDU", "SCD", "RIDE"),
}


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    force = apps.get_model("referrals", "Force")
    force.objects.bulk_create(force(code=code, name=name) for code, name in FORCES.items())
    sequence = apps.get_model("referrals", "OutcomeSequence")
    sequence.objects.bulk_create(sequence(force_id=code) for code in FORCES)
    course = dict(apps.get_model("courses", "CourseType").objects.values_list("code", "pk"))
    block = apps.get_model("referrals", "CourseBlock")
    block.objects.bulk_create(
        block(course_type_id=course[offered], blocked_by_id=course[done], valid_from=VALID_FROM)
        for offered, blockers in BLOCKS.items()
        for done in blockers
    )


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("referrals", "CourseBlock").objects.filter(valid_from=VALID_FROM).delete()
    apps.get_model("referrals", "OutcomeSequence").objects.filter(force_id__in=FORCES, last=0).delete()
    apps.get_model("referrals", "Force").objects.filter(code__in=FORCES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0001_initial"),
        ("courses", "0002_reference_data"),
    ]

    operations = [migrations.RunPython(add, remove)]
