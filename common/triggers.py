"""Database triggers that no session setting can switch off.

django-pgtrigger lets whoever sets `pgtrigger.ignore` skip a trigger. What guards the record must not have that door,
so these triggers are compiled without it. Everything else about them is pgtrigger's: migrations, `pgtrigger ls`.
"""

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
