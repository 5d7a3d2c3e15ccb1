"""Offer terms and speed bands: what was fixed in the checks is in force from a day on."""

import django.contrib.postgres.indexes
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0007_rows_checked"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalSpeedBand",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "history_actor",
                    models.TextField(default="", help_text="who did it, as staff:7; empty where nobody said"),
                ),
                ("history_on_behalf_of", models.TextField(default="")),
                ("history_reason", models.TextField(default="")),
                ("limit_mph", models.PositiveSmallIntegerField(verbose_name="limit, mph")),
                ("slowest_mph", models.PositiveSmallIntegerField(verbose_name="from, mph")),
                ("fastest_mph", models.PositiveSmallIntegerField(verbose_name="to, mph")),
                ("valid_from", models.DateField(help_text="the first London day of batches it applies to")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_date", models.DateTimeField()),
            ],
            options={
                "verbose_name": "historical speed band",
                "verbose_name_plural": "historical speed bands",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="OfferTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "valid_from",
                    models.DateField(help_text="the first London day of batches they apply to", unique=True),
                ),
                (
                    "book_by_days",
                    models.PositiveSmallIntegerField(help_text="book by is so many days after the offer"),
                ),
                (
                    "complete_by_months",
                    models.PositiveSmallIntegerField(
                        help_text="complete by is so many calendar months after the offence, within the time limit of six"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "offer terms",
                "ordering": ["-valid_from"],
            },
        ),
        migrations.CreateModel(
            name="SpeedBand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("limit_mph", models.PositiveSmallIntegerField(verbose_name="limit, mph")),
                ("slowest_mph", models.PositiveSmallIntegerField(verbose_name="from, mph")),
                ("fastest_mph", models.PositiveSmallIntegerField(verbose_name="to, mph")),
                ("valid_from", models.DateField(help_text="the first London day of batches it applies to")),
            ],
            options={
                "ordering": ["limit_mph", "-valid_from"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalOfferTerms",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "history_actor",
                    models.TextField(default="", help_text="who did it, as staff:7; empty where nobody said"),
                ),
                ("history_on_behalf_of", models.TextField(default="")),
                ("history_reason", models.TextField(default="")),
                ("valid_from", models.DateField(help_text="the first London day of batches they apply to")),
                (
                    "book_by_days",
                    models.PositiveSmallIntegerField(help_text="book by is so many days after the offer"),
                ),
                (
                    "complete_by_months",
                    models.PositiveSmallIntegerField(
                        help_text="complete by is so many calendar months after the offence, within the time limit of six"
                    ),
                ),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_date", models.DateTimeField()),
            ],
            options={
                "verbose_name": "historical offer terms",
                "verbose_name_plural": "historical offer terms",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["history_date"], name="referrals_h_history_b40365_brin"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="historicalofferterms",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=common.triggers.UnskippableSql(
                    func="IF current_user = 'ndors_retention' THEN RETURN NULL; END IF;\n                    RAISE EXCEPTION 'the record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME\n                        USING ERRCODE = 'integrity_constraint_violation';",
                    hash="3ca00e0d0765e755eff412483940cf0b17c45a21",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_3f7be",
                    table="referrals_historicalofferterms",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="historicalspeedband",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["history_date"], name="referrals_h_history_8751a1_brin"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="historicalspeedband",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=common.triggers.UnskippableSql(
                    func="IF current_user = 'ndors_retention' THEN RETURN NULL; END IF;\n                    RAISE EXCEPTION 'the record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME\n                        USING ERRCODE = 'integrity_constraint_violation';",
                    hash="63fb789433fc4cf82d77727ac5d06049275a66ab",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_d621b",
                    table="referrals_historicalspeedband",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="offerterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("book_by_days__range", (1, 180)), ("complete_by_months__range", (1, 6))),
                name="referrals_terms_possible",
                violation_error_message="Book by is 1 to 180 days and complete by 1 to 6 months.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="offerterms",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "referrals_historicalofferterms" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "book_by_days", "complete_by_months")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."book_by_days", r."complete_by_months"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="cf8a36e9aa31d128b83cab7d0dd397c86e1cc96a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_2d63b",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="referrals_offerterms",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="offerterms",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "referrals_historicalofferterms" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "book_by_days", "complete_by_months")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."book_by_days", r."complete_by_months"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."valid_from", r."book_by_days", r."complete_by_months")\n                        IS DISTINCT FROM ROW(o."id", o."valid_from", o."book_by_days", o."complete_by_months");\n                    RETURN NULL;',
                    hash="f7958d3ccee383aeeeed5d929fba4cbb62eb71c2",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_ea759",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="referrals_offerterms",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="offerterms",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "referrals_historicalofferterms" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "book_by_days", "complete_by_months")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."book_by_days", r."complete_by_months"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="1a849336ddadf8ec91a960de544026496043fdc0",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_d49e1",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="referrals_offerterms",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="offerterms",
            trigger=pgtrigger.compiler.Trigger(
                name="history_guard",
                sql=common.triggers.UnskippableSql(
                    func="RAISE EXCEPTION 'a recorded row keeps its key and is never truncated: % of %',\n                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';",
                    hash="dcb7b7c1e48b06399c65850a9af997e42a27bb82",
                    level="STATEMENT",
                    operation='UPDATE OF "id" OR TRUNCATE',
                    pgid="pgtrigger_history_guard_1735d",
                    table="referrals_offerterms",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="speedband",
            constraint=models.UniqueConstraint(fields=("limit_mph", "valid_from"), name="referrals_band_once"),
        ),
        migrations.AddConstraint(
            model_name="speedband",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fastest_mph__gte", models.F("slowest_mph")), ("slowest_mph__gt", models.F("limit_mph"))
                ),
                name="referrals_band_above_limit",
                violation_error_message="A band begins above the limit, and ends no slower than it begins.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="speedband",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "referrals_historicalspeedband" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "limit_mph", "slowest_mph", "fastest_mph", "valid_from")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."limit_mph", r."slowest_mph", r."fastest_mph", r."valid_from"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="7577b8e97b4c8a97612b1642941f655e4703c13a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_3ee10",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="referrals_speedband",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="speedband",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "referrals_historicalspeedband" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "limit_mph", "slowest_mph", "fastest_mph", "valid_from")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."limit_mph", r."slowest_mph", r."fastest_mph", r."valid_from"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."limit_mph", r."slowest_mph", r."fastest_mph", r."valid_from")\n                        IS DISTINCT FROM ROW(o."id", o."limit_mph", o."slowest_mph", o."fastest_mph", o."valid_from");\n                    RETURN NULL;',
                    hash="69c38a198b7137f86132ab891e4ef68918469522",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_385a4",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="referrals_speedband",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="speedband",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "referrals_historicalspeedband" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "limit_mph", "slowest_mph", "fastest_mph", "valid_from")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."limit_mph", r."slowest_mph", r."fastest_mph", r."valid_from"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="8ec92e322460439aba4c11eb4e56a3ad4880b79e",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_d08d3",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="referrals_speedband",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="speedband",
            trigger=pgtrigger.compiler.Trigger(
                name="history_guard",
                sql=common.triggers.UnskippableSql(
                    func="RAISE EXCEPTION 'a recorded row keeps its key and is never truncated: % of %',\n                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';",
                    hash="e9dc343b02432d3242e62604aef4f5539548636b",
                    level="STATEMENT",
                    operation='UPDATE OF "id" OR TRUNCATE',
                    pgid="pgtrigger_history_guard_e8df9",
                    table="referrals_speedband",
                    when="BEFORE",
                ),
            ),
        ),
    ]
