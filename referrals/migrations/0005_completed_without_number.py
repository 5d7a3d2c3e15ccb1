"""People who completed a course without a driver number are few: found through a small index of their own."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that the index can be made while people work

    dependencies = [
        ("referrals", "0004_failed_by_offence"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("driver_number_hash", b""), ("status", "COMPLETED")),
                fields=["person_hash"],
                name="referrals_ref_unnumbered",
            ),
        ),
    ]
