"""Links to pay by, for who booked by telephone."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [("bookings", "0011_policy_pay_link_hours")]
    operations = [
        migrations.CreateModel(
            name="HistoricalPayLink",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "history_actor",
                    models.TextField(default="", help_text="who did it, as staff:7; empty where nobody said"),
                ),
                ("history_on_behalf_of", models.TextField(default="")),
                ("history_reason", models.TextField(default="")),
                (
                    "expires_at",
                    models.DateTimeField(help_text="the place is held until then, however often the link is sent"),
                ),
                ("sent_at", models.DateTimeField(help_text="when it was last sent")),
                ("sent_by", models.CharField(max_length=80)),
                ("times_sent", models.PositiveSmallIntegerField(default=1)),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_date", models.DateTimeField()),
            ],
            options={
                "verbose_name": "historical pay link",
                "verbose_name_plural": "historical pay links",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="PayLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "expires_at",
                    models.DateTimeField(help_text="the place is held until then, however often the link is sent"),
                ),
                ("sent_at", models.DateTimeField(help_text="when it was last sent")),
                ("sent_by", models.CharField(max_length=80)),
                ("times_sent", models.PositiveSmallIntegerField(default=1)),
            ],
        ),
        migrations.AddField(
            model_name="historicalpaylink",
            name="booking",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="bookings.booking",
            ),
        ),
        migrations.AddField(
            model_name="paylink",
            name="booking",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="pay_link", to="bookings.booking"
            ),
        ),
        migrations.AddIndex(
            model_name="historicalpaylink",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["history_date"], name="bookings_hi_history_024012_brin"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="historicalpaylink",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=common.triggers.UnskippableSql(
                    func="IF current_user = 'ndors_retention' THEN RETURN NULL; END IF;\n                    RAISE EXCEPTION 'the record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME\n                        USING ERRCODE = 'integrity_constraint_violation';",
                    hash="7fe52011d0b5f7edb57899c29ecefc0fd29e34fd",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_7a19f",
                    table="bookings_historicalpaylink",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paylink",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalpaylink" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "booking_id", "expires_at", "sent_at", "sent_by", "times_sent")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."booking_id", r."expires_at", r."sent_at", r."sent_by", r."times_sent"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="071d2074108974c198595d1810ab9e71861e1bad",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_5fcfa",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="bookings_paylink",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paylink",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalpaylink" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "booking_id", "expires_at", "sent_at", "sent_by", "times_sent")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."booking_id", r."expires_at", r."sent_at", r."sent_by", r."times_sent"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."booking_id", r."expires_at", r."sent_at", r."sent_by", r."times_sent")\n                        IS DISTINCT FROM ROW(o."id", o."booking_id", o."expires_at", o."sent_at", o."sent_by", o."times_sent");\n                    RETURN NULL;',
                    hash="ca473c7e8c448ddb63c5dbc98854fd1e8bf49ed5",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_11662",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="bookings_paylink",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paylink",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalpaylink" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "booking_id", "expires_at", "sent_at", "sent_by", "times_sent")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."booking_id", r."expires_at", r."sent_at", r."sent_by", r."times_sent"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="e968ca92a939dd03823d8aa6421fb516e889835c",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_bbf83",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="bookings_paylink",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paylink",
            trigger=pgtrigger.compiler.Trigger(
                name="history_guard",
                sql=common.triggers.UnskippableSql(
                    func="RAISE EXCEPTION 'a recorded row keeps its key and is never truncated: % of %',\n                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';",
                    hash="bf0535c9d5d6556512e2c26485b8a89ef601a4bb",
                    level="STATEMENT",
                    operation='UPDATE OF "id" OR TRUNCATE',
                    pgid="pgtrigger_history_guard_80584",
                    table="bookings_paylink",
                    when="BEFORE",
                ),
            ),
        ),
    ]
