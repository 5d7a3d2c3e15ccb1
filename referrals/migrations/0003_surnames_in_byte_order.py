"""Surnames are found by their start and listed in their order by one index: the column sorts by its bytes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that the index can be made while people work

    dependencies = [
        ("referrals", "0002_reference_data"),
    ]

    operations = [
        RemoveIndexConcurrently(
            model_name="referral",
            name="referrals_ref_surname",
        ),
        migrations.AlterField(
            model_name="referral",
            name="surname_key",
            field=models.CharField(
                db_collation="C", help_text="surname upper-cased, for search by its start", max_length=360
            ),
        ),
        AddIndexConcurrently(
            model_name="referral",
            index=models.Index(fields=["force", "surname_key"], name="referrals_ref_by_surname"),
        ),
    ]
