"""A need is a task with an owner and a day. What was arranged is copied over by the next migration."""

import datetime as dt

import django.db.models.deletion
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0004_policy_need_days"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="need",
            name="history_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="need",
            name="history_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="need",
            name="history_delete",
        ),
        migrations.RemoveConstraint(
            model_name="need",
            name="bookings_need_arranged_has_time",
        ),
        migrations.AddField(
            model_name="historicalneed",
            name="due_on",
            field=models.DateField(default=dt.date(2026, 11, 30), help_text="last London day to see to it"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="historicalneed",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="the member of staff who sees to it",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="historicalneed",
            name="status",
            field=models.CharField(
                choices=[
                    ("OPEN", "To be arranged"),
                    ("ARRANGED", "Arranged"),
                    ("UNDO", "No longer needed: to be undone"),
                ],
                default="OPEN",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="need",
            name="due_on",
            field=models.DateField(default=dt.date(2026, 11, 30), help_text="last London day to see to it"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="need",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                help_text="the member of staff who sees to it",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="needs",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="need",
            name="status",
            field=models.CharField(
                choices=[
                    ("OPEN", "To be arranged"),
                    ("ARRANGED", "Arranged"),
                    ("UNDO", "No longer needed: to be undone"),
                ],
                default="OPEN",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="historicalneed",
            name="kind",
            field=models.CharField(
                choices=[
                    ("BSL", "British Sign Language interpreter"),
                    ("CAPTIONS", "Captions or a hearing loop"),
                    ("LARGE_PRINT", "Large print"),
                    ("STEP_FREE", "Step-free access"),
                    ("INTERPRETER", "Bringing an interpreter"),
                    ("PRIVATE_ID", "Private or same-sex identity check"),
                    ("NO_INTERNET", "No internet"),
                    ("OTHER", "Something else"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="need",
            name="kind",
            field=models.CharField(
                choices=[
                    ("BSL", "British Sign Language interpreter"),
                    ("CAPTIONS", "Captions or a hearing loop"),
                    ("LARGE_PRINT", "Large print"),
                    ("STEP_FREE", "Step-free access"),
                    ("INTERPRETER", "Bringing an interpreter"),
                    ("PRIVATE_ID", "Private or same-sex identity check"),
                    ("NO_INTERNET", "No internet"),
                    ("OTHER", "Something else"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="need",
            index=models.Index(
                condition=models.Q(("status__in", ("OPEN", "UNDO"))), fields=["due_on"], name="bookings_need_to_do"
            ),
        ),
    ]
