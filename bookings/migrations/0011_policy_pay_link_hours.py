"""Policies say for how long a place is held for who pays by a link."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [("bookings", "0010_waiting_list")]
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
            name="pay_link_hours",
            field=models.PositiveSmallIntegerField(
                default=24,
                help_text="how long a place is held for who pays by a link, never past the time that booking closes",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="policy",
            name="pay_link_hours",
            field=models.PositiveSmallIntegerField(
                default=24,
                help_text="how long a place is held for who pays by a link, never past the time that booking closes",
            ),
            preserve_default=False,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="policy",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "pay_link_hours", "need_days", "waiting_offer_hours", "late_offer_hours", "late_offer_dates")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."pay_link_hours", r."need_days", r."waiting_offer_hours", r."late_offer_hours", r."late_offer_dates"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="3503aa3dc69054e86caa1c2026cc622b3e20ac8f",
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
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "pay_link_hours", "need_days", "waiting_offer_hours", "late_offer_hours", "late_offer_dates")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."pay_link_hours", r."need_days", r."waiting_offer_hours", r."late_offer_hours", r."late_offer_dates"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."pay_link_hours", r."need_days", r."waiting_offer_hours", r."late_offer_hours", r."late_offer_dates")\n                        IS DISTINCT FROM ROW(o."id", o."valid_from", o."valid_to", o."hold_minutes", o."extend_minutes", o."extend_times", o."hold_longest_minutes", o."closes_minutes", o."cancel_days", o."cancel_notice_days", o."withdrawn_notice_days", o."move_free_days", o."move_fee_pence", o."full_fee_hours", o."pay_link_hours", o."need_days", o."waiting_offer_hours", o."late_offer_hours", o."late_offer_dates");\n                    RETURN NULL;',
                    hash="1869d1c94fdcd32f8296234ac350aa03e6359667",
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
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "pay_link_hours", "need_days", "waiting_offer_hours", "late_offer_hours", "late_offer_dates")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."pay_link_hours", r."need_days", r."waiting_offer_hours", r."late_offer_hours", r."late_offer_dates"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="bf5e5c6be0baeb71f02bc8624613896640edea95",
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
