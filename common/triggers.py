"""Database triggers that no session setting can switch off.

django-pgtrigger lets whoever sets `pgtrigger.ignore` skip a trigger. What guards the record must not have that door,
so these triggers are compiled without it. Everything else about them is pgtrigger's: migrations, `pgtrigger ls`.
"""

from collections.abc import Mapping
from typing import Any

import pgtrigger
from pgtrigger import compiler


class UnskippableSql(compiler.UpsertTriggerSql):
    """The statements that install a trigger. Migrations refer to this class: never change its template."""

    def get_template(self) -> str:
        """The template of the function and its trigger, to be filled by the base class."""
        return """
            CREATE OR REPLACE FUNCTION {pgid}()
            RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class JoiningSql(UnskippableSql):
    """As `UnskippableSql`, for functions that join transition tables.

    The plan of such a join is made at the first call of a session, perhaps for one row, and kept: a nested loop
    would then meet a hundred thousand rows. Hash joins are as good for one row and right for many.
    """

    def get_template(self) -> str:
        """The template of the function and its trigger, to be filled by the base class."""
        return super().get_template().replace("$$ LANGUAGE plpgsql;", "$$ LANGUAGE plpgsql SET enable_nestloop = off;")


class Unskippable(pgtrigger.Trigger):
    """A pgtrigger trigger that `pgtrigger.ignore` has no power over."""

    sql_class: type[UnskippableSql] = UnskippableSql

    def compile(self, model: Any) -> compiler.Trigger:
        """The compiled trigger that migrations hold."""
        compiled = super().compile(model)
        return compiler.Trigger(name=self.name, sql=self.sql_class(**compiled.sql.kwargs))


class Joining(Unskippable):
    """A statement-level trigger whose function joins its transition tables."""

    sql_class = JoiningSql


def never_deleted(what: str) -> Unskippable:
    """The trigger by which a table keeps all of its rows."""
    return Unskippable(
        name="never_deleted",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func=f"""RAISE EXCEPTION '{what} is never deleted' USING ERRCODE = 'restrict_violation';""",
    )


def kept_while_named(key: str, *, by: str) -> Unskippable:
    """The trigger by which a row stays for as long as column `by` (table.column) names its key.

    The delete has waited for whoever was about to name it (`parents_known` locks what it finds), and sees that now.
    """
    table, column = by.split(".")
    return Unskippable(
        name="kept_while_named",
        when=pgtrigger.After,
        operation=pgtrigger.Delete,
        func=f"""IF EXISTS (SELECT FROM {table} WHERE {column} = OLD.{key}) THEN
                        RAISE EXCEPTION 'a row of % is still named in {table}', TG_TABLE_NAME
                            USING ERRCODE = 'foreign_key_violation';
                    END IF;
                    RETURN NULL;""",
    )


def parents_known(parents: Mapping[str, str]) -> list[pgtrigger.Trigger]:
    """Triggers that refuse a row whose parents do not exist: for each column, which is never null, table.key.

    A foreign key looks up every row by itself, at five microseconds; these look up once what a statement's rows name.
    They do the half of a foreign key that is the child's; the parents must be `kept_while_named` or `never_deleted`,
    and never change their keys.
    """
    columns = ", ".join(parents)
    look_up = "\n                        ".join(
        f"""PERFORM FROM {table} WHERE {key} = r.{column} FOR KEY SHARE;
                        IF NOT FOUND THEN
                            RAISE EXCEPTION 'a row of % names a {column} that does not exist', TG_TABLE_NAME
                                USING ERRCODE = 'foreign_key_violation';
                        END IF;"""
        for column, (table, key) in ((column, parent.split(".")) for column, parent in parents.items())
    )
    return [
        Unskippable(
            name="parents_known",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]  # pgtrigger has no types
            declare=[("r", "record")],
            func=f"""FOR r IN SELECT DISTINCT {columns} FROM new_rows LOOP
                        {look_up}
                    END LOOP;
                    RETURN NULL;""",  # noqa: S608 - names from the models
        ),
        # A trigger on columns cannot see a statement's rows together; these columns hardly ever change.
        Unskippable(
            name="parents_still_known",
            when=pgtrigger.After,
            operation=pgtrigger.UpdateOf(*parents),  # type: ignore[no-untyped-call]
            declare=[("r", "record := NEW")],
            func=f"""{look_up}
                    RETURN NULL;""",
        ),
    ]
