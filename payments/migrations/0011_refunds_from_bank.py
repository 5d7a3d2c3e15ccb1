import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0010_fee_kept"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="refund",
            name="history_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="refund",
            name="history_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="refund",
            name="history_delete",
        ),
        migrations.AddField(
            model_name="historicalrefund",
            name="is_by_bank",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="failed before, and to be paid from the bank once a second person has agreed",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="is_by_bank",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="failed before, and to be paid from the bank once a second person has agreed",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refund",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "payments_historicalrefund" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "charge_id", "attempt_id", "amount_pence", "cause", "note", "status", "status_at", "requested_at", "requested_by", "needs_approval", "decided_by", "decided_at", "decision_note", "retry_of_id", "is_by_bank", "idempotency_key", "stripe_refund_id", "error")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."charge_id", r."attempt_id", r."amount_pence", r."cause", r."note", r."status", r."status_at", r."requested_at", r."requested_by", r."needs_approval", r."decided_by", r."decided_at", r."decision_note", r."retry_of_id", r."is_by_bank", r."idempotency_key", r."stripe_refund_id", r."error"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="781218b12f3fa746bcc9c515dcd3b7deca3410fb",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_2b63f",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="payments_refund",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refund",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "payments_historicalrefund" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "charge_id", "attempt_id", "amount_pence", "cause", "note", "status", "status_at", "requested_at", "requested_by", "needs_approval", "decided_by", "decided_at", "decision_note", "retry_of_id", "is_by_bank", "idempotency_key", "stripe_refund_id", "error")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."charge_id", r."attempt_id", r."amount_pence", r."cause", r."note", r."status", r."status_at", r."requested_at", r."requested_by", r."needs_approval", r."decided_by", r."decided_at", r."decision_note", r."retry_of_id", r."is_by_bank", r."idempotency_key", r."stripe_refund_id", r."error"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."charge_id", r."attempt_id", r."amount_pence", r."cause", r."note", r."status", r."status_at", r."requested_at", r."requested_by", r."needs_approval", r."decided_by", r."decided_at", r."decision_note", r."retry_of_id", r."is_by_bank", r."idempotency_key", r."stripe_refund_id", r."error")\n                        IS DISTINCT FROM ROW(o."id", o."charge_id", o."attempt_id", o."amount_pence", o."cause", o."note", o."status", o."status_at", o."requested_at", o."requested_by", o."needs_approval", o."decided_by", o."decided_at", o."decision_note", o."retry_of_id", o."is_by_bank", o."idempotency_key", o."stripe_refund_id", o."error");\n                    RETURN NULL;',
                    hash="141337c8868f9e5e6f5a1ae697186d8fc57fe5d0",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_a3495",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="payments_refund",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refund",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "payments_historicalrefund" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "charge_id", "attempt_id", "amount_pence", "cause", "note", "status", "status_at", "requested_at", "requested_by", "needs_approval", "decided_by", "decided_at", "decision_note", "retry_of_id", "is_by_bank", "idempotency_key", "stripe_refund_id", "error")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."charge_id", r."attempt_id", r."amount_pence", r."cause", r."note", r."status", r."status_at", r."requested_at", r."requested_by", r."needs_approval", r."decided_by", r."decided_at", r."decision_note", r."retry_of_id", r."is_by_bank", r."idempotency_key", r."stripe_refund_id", r."error"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="7fb286eaad65c72359e81b074fd81a6aa89e440e",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_d2e49",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="payments_refund",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_by_bank", False), ("status__in", ["WAITING", "REJECTED", "ELSEWHERE"]), _connector="OR"
                ),
                name="payments_refund_by_bank_never_sent",
                violation_error_message="A refund from the bank is never sent to Stripe.",
            ),
        ),
    ]
