"""The first offer terms (DOMAIN.md §3, defaults) and the speed bands of all forces (askthe.police.uk)."""

from datetime import date

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VALID_FROM = date(2020, 1, 1)
BOOK_BY_DAYS, COMPLETE_BY_MONTHS = 28, 4
# Limit: slowest and fastest recorded speed, in mph.
BANDS = {20: (24, 31), 30: (35, 42), 40: (46, 53), 50: (57, 64), 60: (68, 75), 70: (79, 86)}


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("referrals", "OfferTerms").objects.create(
        valid_from=VALID_FROM, book_by_days=BOOK_BY_DAYS, complete_by_months=COMPLETE_BY_MONTHS
    )
    band = apps.get_model("referrals", "SpeedBand")
    band.objects.bulk_create(
        band(limit_mph=limit, slowest_mph=slowest, fastest_mph=fastest, valid_from=VALID_FROM)
        for limit, (slowest, fastest) in BANDS.items()
    )


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for name in ("OfferTerms", "SpeedBand"):
        apps.get_model("referrals", name).objects.filter(valid_from=VALID_FROM).delete()


class Migration(migrations.Migration):
    dependencies = [("referrals", "0008_terms_and_speed_bands")]

    operations = [migrations.RunPython(add, remove)]
