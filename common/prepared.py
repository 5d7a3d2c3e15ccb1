"""Queries that are asked all the time: built and compiled once, then asked again with other values.

Django builds and compiles a query anew at every call. For one that joins five tables that takes longer than
PostgreSQL needs to answer it, and a candidate's page asks several. What is kept here is Django's own query, its SQL
and the plan by which Django makes instances of its rows; nothing of any answer is kept.
"""

import copy
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from django.db import connections
from django.db.models import Expression, QuerySet
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row")
# In the same message as the query, and over with it: six tables take a millisecond to be put in order otherwise.
_AS_WRITTEN = "SET LOCAL join_collapse_limit TO 1; "
Blank = Callable[[str], Any]


class _Blank(Expression):
    """A value that is not known yet: a place in the SQL, and its name among the parameters."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """A place for the value."""
        return "%s", (self,)


class Prepared(Generic[Row]):
    """A query with blanks: `Prepared(lambda blank: Room.objects.filter(venue=blank("venue")))`.

    A blank stands for one plain value of the column it is compared with (a number, text, a date, an instant; never
    None, a list or a model). The query may join (`select_related`), lock, and be cut to a length. Thread-safe.

    Outside a transaction tables are joined in the order written, from the model outwards: narrow the model itself.
    """

    def __init__(self, build: "Callable[[Blank], QuerySet[Any, Row]]") -> None:
        """`build` is called at the first use, when the models are there."""
        self._build = build
        self._made: tuple[QuerySet[Any, Row], Any, str, tuple[Any, ...]] | None = None

    def all(self, **values: Any) -> list[Row]:
        """The rows for these values of the blanks. One query."""
        queryset, compiler, sql, params = self._made or self._make()
        connection = connections[queryset.db]
        if connection.get_autocommit():
            if queryset.query.select_for_update:
                raise TransactionManagementError("rows are locked inside a transaction only")
            sql = _AS_WRITTEN + sql
        filled = tuple([values[each.name] if type(each) is _Blank else each for each in params])
        asking = copy.copy(compiler)
        asking.connection = connection
        asking.as_sql = lambda *_, **__: (sql, filled)
        rows: Any = cast(Any, queryset)._iterable_class(_Asked(queryset, asking))
        return list(rows)

    def first(self, **values: Any) -> Row | None:
        """The first of the rows, or nothing; the query itself says how many to fetch."""
        return next(iter(self.all(**values)), None)

    def get(self, **values: Any) -> Row:
        """The row there must be. Raises the model's DoesNotExist."""
        row = self.first(**values)
        if row is None:
            queryset, *_ = self._made or self._make()
            raise queryset.model.DoesNotExist
        return row

    def _make(self) -> tuple["QuerySet[Any, Row]", Any, str, tuple[Any, ...]]:
        queryset = self._build(_Blank)
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([each[0] for each in compiler.select[: compiler.col_count]])
        compiler.get_converters = lambda _: converters
        self._made = (queryset, compiler, sql, tuple(params))
        return self._made


class _Asked:
    """What Django's iterables want to know of a query set: here, one whose compiler has its SQL already."""

    def __init__(self, queryset: Any, compiler: Any) -> None:
        self.db = queryset.db
        self.query = copy.copy(queryset.query)
        self.query.get_compiler = lambda *_, **__: compiler
        self._fields = queryset._fields
        self._known_related_objects: dict[Any, Any] = {}
