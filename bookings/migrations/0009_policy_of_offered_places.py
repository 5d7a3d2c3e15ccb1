"""Until when places are held that we offer of our own accord: our defaults, as no public source gives any."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0008_feedback"),
    ]

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
            name="late_offer_dates",
            field=models.PositiveSmallIntegerField(default=3, help_text="how many other dates they are offered"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="historicalpolicy",
            name="late_offer_hours",
            field=models.PositiveSmallIntegerField(
                default=24, help_text="hours for which other dates are held for who paid after their place had gone"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="historicalpolicy",
            name="waiting_offer_hours",
            field=models.PositiveSmallIntegerField(
                default=24, help_text="working hours for which a freed place is held for who waits for it"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="policy",
            name="late_offer_dates",
            field=models.PositiveSmallIntegerField(default=3, help_text="how many other dates they are offered"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="policy",
            name="late_offer_hours",
            field=models.PositiveSmallIntegerField(
                default=24, help_text="hours for which other dates are held for who paid after their place had gone"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="policy",
            name="waiting_offer_hours",
            field=models.PositiveSmallIntegerField(
                default=24, help_text="working hours for which a freed place is held for who waits for it"
            ),
            preserve_default=False,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="policy",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "need_days", "waiting_offer_hours", "late_offer_hours", "late_offer_dates")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."need_days", r."waiting_offer_hours", r."late_offer_hours", r."late_offer_dates"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="ea0df44154c6c3b4798ee2b54c357b44ee70eb3c",
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
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "need_days", "waiting_offer_hours", "late_offer_hours", "late_offer_dates")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."need_days", r."waiting_offer_hours", r."late_offer_hours", r."late_offer_dates"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."need_days", r."waiting_offer_hours", r."late_offer_hours", r."late_offer_dates")\n                        IS DISTINCT FROM ROW(o."id", o."valid_from", o."valid_to", o."hold_minutes", o."extend_minutes", o."extend_times", o."hold_longest_minutes", o."closes_minutes", o."cancel_days", o."cancel_notice_days", o."withdrawn_notice_days", o."move_free_days", o."move_fee_pence", o."full_fee_hours", o."need_days", o."waiting_offer_hours", o."late_offer_hours", o."late_offer_dates");\n                    RETURN NULL;',
                    hash="be784309103b45d858074fc73e66940b62ea603c",
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
                    func='INSERT INTO "bookings_historicalpolicy" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "valid_from", "valid_to", "hold_minutes", "extend_minutes", "extend_times", "hold_longest_minutes", "closes_minutes", "cancel_days", "cancel_notice_days", "withdrawn_notice_days", "move_free_days", "move_fee_pence", "full_fee_hours", "need_days", "waiting_offer_hours", "late_offer_hours", "late_offer_dates")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."valid_from", r."valid_to", r."hold_minutes", r."extend_minutes", r."extend_times", r."hold_longest_minutes", r."closes_minutes", r."cancel_days", r."cancel_notice_days", r."withdrawn_notice_days", r."move_free_days", r."move_fee_pence", r."full_fee_hours", r."need_days", r."waiting_offer_hours", r."late_offer_hours", r."late_offer_dates"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="48196d0315ec391a6772ec7df2f3402bf8009ca5",
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
