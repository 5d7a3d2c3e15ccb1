"""A need's status alone says whether it is arranged."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [("bookings", "0006_need_status")]
    operations = [
        migrations.RemoveField(
            model_name="historicalneed",
            name="is_arranged",
        ),
        migrations.RemoveField(
            model_name="need",
            name="is_arranged",
        ),
        migrations.AddConstraint(
            model_name="need",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("arranged_at__isnull", True), ("status", "OPEN")),
                    models.Q(("arranged_at__isnull", False), ("status__in", ["ARRANGED", "UNDO"])),
                    _connector="OR",
                ),
                name="bookings_need_arranged_has_time",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="need",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalneed" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "kind", "detail", "told_at", "status", "owner_id", "due_on", "arranged_at", "arranged_by")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."kind", r."detail", r."told_at", r."status", r."owner_id", r."due_on", r."arranged_at", r."arranged_by"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="d8a29260cde6bc5e1775151daf6e6e12f637f198",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_dda2e",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="bookings_need",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="need",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalneed" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "kind", "detail", "told_at", "status", "owner_id", "due_on", "arranged_at", "arranged_by")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."kind", r."detail", r."told_at", r."status", r."owner_id", r."due_on", r."arranged_at", r."arranged_by"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."referral_id", r."kind", r."detail", r."told_at", r."status", r."owner_id", r."due_on", r."arranged_at", r."arranged_by")\n                        IS DISTINCT FROM ROW(o."id", o."referral_id", o."kind", o."detail", o."told_at", o."status", o."owner_id", o."due_on", o."arranged_at", o."arranged_by");\n                    RETURN NULL;',
                    hash="cfde11671896ed857d568bf45d68d32d9e88e547",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_fc099",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="bookings_need",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="need",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalneed" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "kind", "detail", "told_at", "status", "owner_id", "due_on", "arranged_at", "arranged_by")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."kind", r."detail", r."told_at", r."status", r."owner_id", r."due_on", r."arranged_at", r."arranged_by"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="f95a35b0c951308fec3b442bf492a36411cfa83d",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_107c2",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="bookings_need",
                    when="AFTER",
                ),
            ),
        ),
    ]
