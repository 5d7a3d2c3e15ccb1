from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0011_refunds_from_bank"),
    ]

    operations = [
        migrations.AlterField(
            model_name="reconciliationrun",
            name="status",
            field=models.CharField(
                choices=[
                    ("RUNNING", "Under way, or broken off"),
                    ("GREEN", "All agree"),
                    ("EXPLAINED", "Differences, each explained"),
                    ("EXCEPTIONS", "Differences to be looked at"),
                    ("FAILED", "Could not be compared: needs a person"),
                ],
                default="RUNNING",
                max_length=10,
            ),
        ),
    ]
