"""Course types are never deleted: referrals are checked to name one that exists, a statement at a time."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import common.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0002_reference_data"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="coursetype",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=common.triggers.UnskippableSql(
                    func="RAISE EXCEPTION 'a course type is never deleted' USING ERRCODE = 'restrict_violation';",
                    hash="682460742ab004a99dfbef0ef83f368c1335e8d6",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_b4683",
                    table="courses_coursetype",
                    when="BEFORE",
                ),
            ),
        ),
    ]
