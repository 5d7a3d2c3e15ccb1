"""Who waits, the places offered to them and to who paid too late."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0009_policy_of_offered_places"),
        ("courses", "0002_reference_data"),
        ("payments", "0002_reference_data"),
        ("referrals", "0005_completed_without_number"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalWaitingEntry",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "history_actor",
                    models.TextField(default="", help_text="who did it, as staff:7; empty where nobody said"),
                ),
                ("history_on_behalf_of", models.TextField(default="")),
                ("history_reason", models.TextField(default="")),
                (
                    "modes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("DIGITAL", "Digital"),
                                ("CLASSROOM", "Classroom"),
                                ("ON_ROAD", "In person, with on-road driving"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "venue_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        blank=True,
                        default=list,
                        help_text="venues, for courses in person",
                        size=None,
                    ),
                ),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        blank=True,
                        default=list,
                        help_text="London days, Monday is 1",
                        size=None,
                    ),
                ),
                (
                    "parts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=9),
                        blank=True,
                        default=list,
                        help_text="morning, afternoon or evening",
                        size=None,
                    ),
                ),
                ("created_at", models.DateTimeField(help_text="since when they wait")),
                (
                    "status",
                    models.CharField(
                        choices=[("WAITING", "Waiting"), ("ENDED", "No longer waiting")],
                        default="WAITING",
                        max_length=7,
                    ),
                ),
                ("status_at", models.DateTimeField()),
                ("status_by", models.CharField(max_length=80)),
                (
                    "ended_cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("LEFT", "Left the list"),
                            ("STAFF", "Taken off by staff"),
                            ("BOOKED", "Has a place now"),
                            ("POLICE", "Withdrawn by police"),
                            ("EXPIRED", "Too late to book"),
                        ],
                        max_length=7,
                    ),
                ),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_date", models.DateTimeField()),
                (
                    "course_type",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="the referral's, so that whether anybody waits for a course is one look into an index",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="courses.coursetype",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="referrals.referral",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical waiting entry",
                "verbose_name_plural": "historical waiting list",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="LatePayment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("SEEKING", "Other dates are being looked for"),
                            ("OFFERED", "Other dates are held"),
                            ("PLACED", "Another date was chosen"),
                            ("REFUNDED", "Sent back"),
                        ],
                        default="SEEKING",
                        max_length=8,
                    ),
                ),
                ("status_at", models.DateTimeField()),
                ("status_by", models.CharField(max_length=80)),
                (
                    "booking",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="late_payment", to="bookings.booking"
                    ),
                ),
                (
                    "charge",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="late_payment", to="payments.charge"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WaitingEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "modes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("DIGITAL", "Digital"),
                                ("CLASSROOM", "Classroom"),
                                ("ON_ROAD", "In person, with on-road driving"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "venue_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        blank=True,
                        default=list,
                        help_text="venues, for courses in person",
                        size=None,
                    ),
                ),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        blank=True,
                        default=list,
                        help_text="London days, Monday is 1",
                        size=None,
                    ),
                ),
                (
                    "parts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=9),
                        blank=True,
                        default=list,
                        help_text="morning, afternoon or evening",
                        size=None,
                    ),
                ),
                ("created_at", models.DateTimeField(help_text="since when they wait")),
                (
                    "status",
                    models.CharField(
                        choices=[("WAITING", "Waiting"), ("ENDED", "No longer waiting")],
                        default="WAITING",
                        max_length=7,
                    ),
                ),
                ("status_at", models.DateTimeField()),
                ("status_by", models.CharField(max_length=80)),
                (
                    "ended_cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("LEFT", "Left the list"),
                            ("STAFF", "Taken off by staff"),
                            ("BOOKED", "Has a place now"),
                            ("POLICE", "Withdrawn by police"),
                            ("EXPIRED", "Too late to book"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "course_type",
                    models.ForeignKey(
                        db_index=False,
                        help_text="the referral's, so that whether anybody waits for a course is one look into an index",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="courses.coursetype",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waiting_entries",
                        to="referrals.referral",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "waiting list",
            },
        ),
        migrations.CreateModel(
            name="PlaceOffer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("offered_at", models.DateTimeField()),
                ("until", models.DateTimeField(help_text="when it passes on; the place is held at least as long")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "Held for them"),
                            ("ACCEPTED", "Taken"),
                            ("DECLINED", "Not wanted"),
                            ("LAPSED", "Not answered in time"),
                            ("ENDED", "Taken back: something else happened"),
                        ],
                        default="OPEN",
                        max_length=8,
                    ),
                ),
                ("status_at", models.DateTimeField()),
                ("status_by", models.CharField(max_length=80)),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="bookings.latepayment",
                    ),
                ),
                (
                    "place",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offer", to="courses.place"
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="place_offers",
                        to="referrals.referral",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="bookings.waitingentry",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalPlaceOffer",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "history_actor",
                    models.TextField(default="", help_text="who did it, as staff:7; empty where nobody said"),
                ),
                ("history_on_behalf_of", models.TextField(default="")),
                ("history_reason", models.TextField(default="")),
                ("offered_at", models.DateTimeField()),
                ("until", models.DateTimeField(help_text="when it passes on; the place is held at least as long")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "Held for them"),
                            ("ACCEPTED", "Taken"),
                            ("DECLINED", "Not wanted"),
                            ("LAPSED", "Not answered in time"),
                            ("ENDED", "Taken back: something else happened"),
                        ],
                        default="OPEN",
                        max_length=8,
                    ),
                ),
                ("status_at", models.DateTimeField()),
                ("status_by", models.CharField(max_length=80)),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_date", models.DateTimeField()),
                (
                    "place",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="courses.place",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="referrals.referral",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="bookings.latepayment",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="bookings.waitingentry",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical place offer",
                "verbose_name_plural": "historical place offers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalLatePayment",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "history_actor",
                    models.TextField(default="", help_text="who did it, as staff:7; empty where nobody said"),
                ),
                ("history_on_behalf_of", models.TextField(default="")),
                ("history_reason", models.TextField(default="")),
                ("created_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("SEEKING", "Other dates are being looked for"),
                            ("OFFERED", "Other dates are held"),
                            ("PLACED", "Another date was chosen"),
                            ("REFUNDED", "Sent back"),
                        ],
                        default="SEEKING",
                        max_length=8,
                    ),
                ),
                ("status_at", models.DateTimeField()),
                ("status_by", models.CharField(max_length=80)),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_date", models.DateTimeField()),
                (
                    "booking",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="bookings.booking",
                    ),
                ),
                (
                    "charge",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="payments.charge",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical late payment",
                "verbose_name_plural": "historical late payments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["history_date"], name="bookings_hi_history_7e3436_brin"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="historicallatepayment",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=common.triggers.UnskippableSql(
                    func="IF current_user = 'ndors_retention' THEN RETURN NULL; END IF;\n                    RAISE EXCEPTION 'the record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME\n                        USING ERRCODE = 'integrity_constraint_violation';",
                    hash="a04bf3dde799c1f7af8b5adb2e8b29353505525a",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_5b54a",
                    table="bookings_historicallatepayment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="historicalwaitingentry",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["history_date"], name="bookings_hi_history_f113f5_brin"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="historicalwaitingentry",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=common.triggers.UnskippableSql(
                    func="IF current_user = 'ndors_retention' THEN RETURN NULL; END IF;\n                    RAISE EXCEPTION 'the record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME\n                        USING ERRCODE = 'integrity_constraint_violation';",
                    hash="6ecca13f184c48a2c8705f01ed1d9ebefedf3dfb",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_5d364",
                    table="bookings_historicalwaitingentry",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="latepayment",
            index=models.Index(
                condition=models.Q(("status__in", ("SEEKING", "OFFERED"))),
                fields=["created_at"],
                name="bookings_late_unsettled",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="latepayment",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicallatepayment" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "booking_id", "charge_id", "created_at", "status", "status_at", "status_by")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."booking_id", r."charge_id", r."created_at", r."status", r."status_at", r."status_by"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="d4ee3dc18c04f041338c34e8290f7e9e3dc172bc",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_dd741",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="bookings_latepayment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="latepayment",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicallatepayment" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "booking_id", "charge_id", "created_at", "status", "status_at", "status_by")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."booking_id", r."charge_id", r."created_at", r."status", r."status_at", r."status_by"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."booking_id", r."charge_id", r."created_at", r."status", r."status_at", r."status_by")\n                        IS DISTINCT FROM ROW(o."id", o."booking_id", o."charge_id", o."created_at", o."status", o."status_at", o."status_by");\n                    RETURN NULL;',
                    hash="56afbdef0c938c1b88b3553159d30e0791d8ef34",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_deed7",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="bookings_latepayment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="latepayment",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicallatepayment" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "booking_id", "charge_id", "created_at", "status", "status_at", "status_by")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."booking_id", r."charge_id", r."created_at", r."status", r."status_at", r."status_by"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="a02c664d22ea792796423b4efab70cbd2ff83cab",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_6e560",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="bookings_latepayment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="latepayment",
            trigger=pgtrigger.compiler.Trigger(
                name="history_guard",
                sql=common.triggers.UnskippableSql(
                    func="RAISE EXCEPTION 'a recorded row keeps its key and is never truncated: % of %',\n                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';",
                    hash="1bcd5c38e3c3fa5c0ee1e70f33d3a9c3d6290cae",
                    level="STATEMENT",
                    operation='UPDATE OF "id" OR TRUNCATE',
                    pgid="pgtrigger_history_guard_52795",
                    table="bookings_latepayment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="waitingentry",
            index=models.Index(
                condition=models.Q(("status", "WAITING")), fields=["course_type"], name="bookings_waiting_course"
            ),
        ),
        migrations.AddConstraint(
            model_name="waitingentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "WAITING")), fields=("referral",), name="bookings_waiting_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="waitingentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "ENDED"), models.Q(("ended_cause", ""), _negated=True)),
                    models.Q(models.Q(("status", "ENDED"), _negated=True), ("ended_cause", "")),
                    _connector="OR",
                ),
                name="bookings_waiting_ended_has_cause",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="waitingentry",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalwaitingentry" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "course_type_id", "modes", "venue_ids", "weekdays", "parts", "created_at", "status", "status_at", "status_by", "ended_cause")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."course_type_id", r."modes", r."venue_ids", r."weekdays", r."parts", r."created_at", r."status", r."status_at", r."status_by", r."ended_cause"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="08f55f4289817bf4336c50372cbf82101cd4b4a7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_67c14",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="bookings_waitingentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="waitingentry",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalwaitingentry" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "course_type_id", "modes", "venue_ids", "weekdays", "parts", "created_at", "status", "status_at", "status_by", "ended_cause")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."course_type_id", r."modes", r."venue_ids", r."weekdays", r."parts", r."created_at", r."status", r."status_at", r."status_by", r."ended_cause"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."referral_id", r."course_type_id", r."modes", r."venue_ids", r."weekdays", r."parts", r."created_at", r."status", r."status_at", r."status_by", r."ended_cause")\n                        IS DISTINCT FROM ROW(o."id", o."referral_id", o."course_type_id", o."modes", o."venue_ids", o."weekdays", o."parts", o."created_at", o."status", o."status_at", o."status_by", o."ended_cause");\n                    RETURN NULL;',
                    hash="92eb27053d9d41eb4901a034fecb05dbabca920b",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_0a7cf",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="bookings_waitingentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="waitingentry",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalwaitingentry" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "course_type_id", "modes", "venue_ids", "weekdays", "parts", "created_at", "status", "status_at", "status_by", "ended_cause")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."course_type_id", r."modes", r."venue_ids", r."weekdays", r."parts", r."created_at", r."status", r."status_at", r."status_by", r."ended_cause"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="71bb2be3de810d2e671dc9b7c6b803a8031dddef",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_2724d",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="bookings_waitingentry",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="waitingentry",
            trigger=pgtrigger.compiler.Trigger(
                name="history_guard",
                sql=common.triggers.UnskippableSql(
                    func="RAISE EXCEPTION 'a recorded row keeps its key and is never truncated: % of %',\n                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';",
                    hash="cb9e513c696271e2b2cdcca48717ebe9df067a13",
                    level="STATEMENT",
                    operation='UPDATE OF "id" OR TRUNCATE',
                    pgid="pgtrigger_history_guard_8b96a",
                    table="bookings_waitingentry",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="placeoffer",
            index=models.Index(
                condition=models.Q(("status", "OPEN")), fields=["until"], name="bookings_offer_lapsing"
            ),
        ),
        migrations.AddConstraint(
            model_name="placeoffer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("entry__isnull", False), ("status", "OPEN")),
                fields=("referral",),
                name="bookings_one_waiting_offer",
            ),
        ),
        migrations.AddConstraint(
            model_name="placeoffer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry__isnull", False), ("payment__isnull", True)),
                    models.Q(("entry__isnull", True), ("payment__isnull", False)),
                    _connector="OR",
                ),
                name="bookings_offer_for_one_cause",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placeoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="offered_place_fits",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE its_place courses_place%ROWTYPE; its_session courses_session%ROWTYPE; its_offer referrals_referral%ROWTYPE;",
                    func="\n        SELECT * INTO STRICT its_place FROM courses_place WHERE id = NEW.place_id;\n        SELECT * INTO STRICT its_session FROM courses_session WHERE id = its_place.session_id;\n        SELECT * INTO STRICT its_offer FROM referrals_referral WHERE id = NEW.referral_id;\n        IF (its_session.ends_at AT TIME ZONE 'Europe/London')::date > its_offer.complete_by THEN\n            RAISE EXCEPTION 'session % ends after complete by of referral %', its_session.id, its_offer.id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_ends_by_complete_by';\n        END IF;\n        IF its_session.course_type_id <> its_offer.course_type_id THEN\n            RAISE EXCEPTION 'session % is not of the course offered by referral %', its_session.id, its_offer.id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_of_course_offered';\n        END IF;\n        IF its_place.holder <> its_offer.force_id || '/' || its_offer.reference OR its_place.state = 'RELEASED' THEN\n            RAISE EXCEPTION 'place % is not held for referral %', its_place.id, its_offer.id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_place_is_theirs';\n        END IF;\n        RETURN NEW;\n    ",
                    hash="8dc5ec569fc5a6df28192005d773bd591be22b17",
                    operation='INSERT OR UPDATE OF "place_id", "referral_id"',
                    pgid="pgtrigger_offered_place_fits_cceae",
                    table="bookings_placeoffer",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placeoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalplaceoffer" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "place_id", "entry_id", "payment_id", "offered_at", "until", "status", "status_at", "status_by")\n                    SELECT clock_timestamp(), \'+\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."place_id", r."entry_id", r."payment_id", r."offered_at", r."until", r."status", r."status_at", r."status_by"\n                    FROM new_rows r;\n                    RETURN NULL;',
                    hash="a2673e058f58b5f32512aae17ed36c9ce727473b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_ccdc0",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="bookings_placeoffer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placeoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=common.triggers.JoiningSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalplaceoffer" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "place_id", "entry_id", "payment_id", "offered_at", "until", "status", "status_at", "status_by")\n                    SELECT clock_timestamp(), \'~\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."place_id", r."entry_id", r."payment_id", r."offered_at", r."until", r."status", r."status_at", r."status_by"\n                    FROM new_rows r JOIN old_rows o ON r."id" = o."id"\n                    WHERE ROW(r."id", r."referral_id", r."place_id", r."entry_id", r."payment_id", r."offered_at", r."until", r."status", r."status_at", r."status_by")\n                        IS DISTINCT FROM ROW(o."id", o."referral_id", o."place_id", o."entry_id", o."payment_id", o."offered_at", o."until", o."status", o."status_at", o."status_by");\n                    RETURN NULL;',
                    hash="ea65fbd6f6bb68599ffb6e2f120ec7af02cdc002",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_f7239",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="bookings_placeoffer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placeoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE _actor text := coalesce(current_setting('app.actor', true), ''); _on_behalf_of text := coalesce(current_setting('app.on_behalf_of', true), ''); _reason text := coalesce(current_setting('app.reason', true), '');",
                    func='INSERT INTO "bookings_historicalplaceoffer" (\n                        history_date, history_type, history_actor, history_on_behalf_of, history_reason,\n                        "id", "referral_id", "place_id", "entry_id", "payment_id", "offered_at", "until", "status", "status_at", "status_by")\n                    SELECT clock_timestamp(), \'-\', _actor, _on_behalf_of, _reason,\n                        r."id", r."referral_id", r."place_id", r."entry_id", r."payment_id", r."offered_at", r."until", r."status", r."status_at", r."status_by"\n                    FROM old_rows r;\n                    RETURN NULL;',
                    hash="28761654671d603feed604a519572dca75324083",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_0befc",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="bookings_placeoffer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placeoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="history_guard",
                sql=common.triggers.UnskippableSql(
                    func="RAISE EXCEPTION 'a recorded row keeps its key and is never truncated: % of %',\n                        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';",
                    hash="f99b7701a0a2ae9dd5bb0e3c3e3d30bd2765e6c5",
                    level="STATEMENT",
                    operation='UPDATE OF "id" OR TRUNCATE',
                    pgid="pgtrigger_history_guard_b5f4a",
                    table="bookings_placeoffer",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="historicalplaceoffer",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["history_date"], name="bookings_hi_history_a5ed61_brin"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="historicalplaceoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=common.triggers.UnskippableSql(
                    func="IF current_user = 'ndors_retention' THEN RETURN NULL; END IF;\n                    RAISE EXCEPTION 'the record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME\n                        USING ERRCODE = 'integrity_constraint_violation';",
                    hash="4f34cbc6b52a8fcae3fd0dadd9a681263593cd66",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_1640d",
                    table="bookings_historicalplaceoffer",
                    when="BEFORE",
                ),
            ),
        ),
    ]
