"""Those who failed to complete a course are found by their offence: police have six months from it to decide."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that the index can be made while people work

    dependencies = [
        ("referrals", "0003_surnames_in_byte_order"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("status__in", ["NOT_COMPLETED", "EXPIRED"])),
                fields=["force", "offence_at"],
                name="referrals_ref_failed",
            ),
        ),
    ]
