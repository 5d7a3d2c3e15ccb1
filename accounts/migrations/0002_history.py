"""Users are tracked as every model is; `audit` holds their history, so its table has to be there first."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import common.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("audit", "0001_initial"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "audit_historicaluser" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined", "role")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."is_superuser", r."username", r."first_name", r."last_name", r."email", r."is_staff", r."is_active", r."date_joined", r."role"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="ea5d756a55ca1d7737070b0a4c03976df27c729e",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_e218e",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "audit_historicaluser" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined", "role")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."is_superuser", r."username", r."first_name", r."last_name", r."email", r."is_staff", r."is_active", r."date_joined", r."role"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."is_superuser", r."username", r."first_name", r."last_name", r."email", r."is_staff", r."is_active", r."date_joined", r."role")\n                        IS DISTINCT FROM ROW(o."id", o."is_superuser", o."username", o."first_name", o."last_name", o."email", o."is_staff", o."is_active", o."date_joined", o."role");\n                    RETURN NULL;',
                    hash="3327ccd9f76714c465eab695a23acaa17f9287ca",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_e821b",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "audit_historicaluser" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined", "role")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."is_superuser", r."username", r."first_name", r."last_name", r."email", r."is_staff", r."is_active", r."date_joined", r."role"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="8d4a4d0576b2629a9bf72d1307ed0afc8d52c4b9",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_3f525",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="history_guard",
                sql=common.triggers.UnskippableSql(
                    func="RAISE EXCEPTION 'a recorded row keeps its key and is never truncated: % of %',\n                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';",
                    hash="f84856a229ecc986862898e16e24679b99293526",
                    level="STATEMENT",
                    operation='UPDATE OF "id" OR TRUNCATE',
                    pgid="pgtrigger_history_guard_87e12",
                    table="accounts_user",
                    when="BEFORE",
                ),
            ),
        ),
    ]
