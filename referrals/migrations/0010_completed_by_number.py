"""Whoever completed a course is found by driver number among those who did, not among all who were ever referred."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that the index can be made while people work

    dependencies = [
        ("referrals", "0009_first_terms_and_bands"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="referral",
            index=models.Index(
                condition=models.Q(
                    ("status__range", ("COMPLETED", "COMPLETED")),
                    models.Q(("driver_number_hash", b""), _negated=True),
                ),
                fields=["driver_number_hash"],
                name="referrals_ref_completed",
            ),
        ),
    ]
