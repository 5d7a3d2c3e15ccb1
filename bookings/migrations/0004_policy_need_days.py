"""Policies say in how many working days a need is arranged."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [("bookings", "0003_moves")]
    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="policy",
            name="history_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="policy",
            name="history_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="policy",
            name="history_delete",
        ),
        migrations.AddField(
            model_name="historicalpolicy",
            name="need_days",
            field=models.PositiveSmallIntegerField(
                default=3, help_text="working days in which staff arrange what a candidate needs"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="policy",
            name="need_days",
            field=models.PositiveSmallIntegerField(
                default=3, help_text="working days in which staff arrange what a candidate needs"
            ),
            preserve_default=False,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="policy",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "need_days")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."need_days"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="84a981da97a74339e35f90e690d1be6b40d19a47",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_90bc8",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="bookings_policy",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="policy",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "need_days")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."need_days"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."need_days")\n                        IS DISTINCT FROM ROW(o."id", o."valid_from", o."valid_to", o."hold_minutes", o."extend_minutes", o."extend_times", o."hold_longest_minutes", o."closes_minutes", o."cancel_days", o."cancel_notice_days", o."withdrawn_notice_days", o."move_free_days", o."move_fee_pence", o."full_fee_hours", o."need_days");\n                    RETURN NULL;',
                    hash="d5dac6a421ac4243c1b785bc5b8e9ee37fb19329",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_48df1",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="bookings_policy",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="policy",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "need_days")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."need_days"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="ad6d6384e56ea970cc0daad6897c6a31ce1bcf05",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_787c2",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="bookings_policy",
                    when="AFTER",
                ),
            ),
        ),
    ]
