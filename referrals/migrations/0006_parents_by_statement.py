"""The parents of referrals are looked up once for each statement, instead of for each row by foreign keys."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import common.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0003_course_types_are_kept"),
        ("referrals", "0005_completed_without_number"),
    ]

    operations = [
        migrations.AlterField(
            model_name="referral",
            name="course_type",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="referrals",
                to="courses.coursetype",
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="force",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="referrals",
                to="referrals.force",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="force",
            trigger=pgtrigger.compiler.Trigger(
                name="kept_while_named",
                sql=common.triggers.UnskippableSql(
                    func="IF EXISTS (SELECT FROM referrals_referral WHERE force_id = OLD.code) THEN\n                        RAISE EXCEPTION 'a row of % is still named in referrals_referral', TG_TABLE_NAME\n                            USING ERRCODE = 'foreign_key_violation';\n                    END IF;\n                    RETURN NULL;",
                    hash="5a712be74b557d8a986bb185c281a28b550ca1ec",
                    operation="DELETE",
                    pgid="pgtrigger_kept_while_named_d656c",
                    table="referrals_force",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="parents_known",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE r record;",
                    func="FOR r IN SELECT DISTINCT force_id, course_type_id FROM new_rows LOOP\n                        PERFORM FROM referrals_force WHERE code = r.force_id FOR KEY SHARE;\n                        IF NOT FOUND THEN\n                            RAISE EXCEPTION 'a row of % names a force_id that does not exist', TG_TABLE_NAME\n                                USING ERRCODE = 'foreign_key_violation';\n                        END IF;\n                        PERFORM FROM courses_coursetype WHERE id = r.course_type_id FOR KEY SHARE;\n                        IF NOT FOUND THEN\n                            RAISE EXCEPTION 'a row of % names a course_type_id that does not exist', TG_TABLE_NAME\n                                USING ERRCODE = 'foreign_key_violation';\n                        END IF;\n                    END LOOP;\n                    RETURN NULL;",
                    hash="4f8cd8b18d658e4ec8049b8c3fb1e22d77493560",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_parents_known_19df6",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="parents_still_known",
                sql=common.triggers.UnskippableSql(
                    declare="DECLARE r record := NEW;",
                    func="PERFORM FROM referrals_force WHERE code = r.force_id FOR KEY SHARE;\n                        IF NOT FOUND THEN\n                            RAISE EXCEPTION 'a row of % names a force_id that does not exist', TG_TABLE_NAME\n                                USING ERRCODE = 'foreign_key_violation';\n                        END IF;\n                        PERFORM FROM courses_coursetype WHERE id = r.course_type_id FOR KEY SHARE;\n                        IF NOT FOUND THEN\n                            RAISE EXCEPTION 'a row of % names a course_type_id that does not exist', TG_TABLE_NAME\n                                USING ERRCODE = 'foreign_key_violation';\n                        END IF;\n                    RETURN NULL;",
                    hash="62eb88a44ca4756d8e04d0ce0a90b3b148c5d9e8",
                    operation='UPDATE OF "force_id", "course_type_id"',
                    pgid="pgtrigger_parents_still_known_17790",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
    ]
