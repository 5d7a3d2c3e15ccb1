"""Rows read, checked and settled are told apart while a batch is running."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0006_parents_by_statement"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="rows_checked",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="rows checked so far, ahead of what is settled"
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="rows_read",
            field=models.PositiveIntegerField(default=0, help_text="rows read so far, ahead of what is settled"),
        ),
    ]
