"""Who acts reaches the database with each writing statement, and nobody else's name does."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from psycopg2 import sql

from accounts.models import User
from audit import context
from audit.context import NOBODY, Acting, Actor, acting, acting_as_found, because, current
from common.copy import copy_rows

CLERK = Actor("staff", "7")


def told() -> tuple[str, str, str]:
    """What the latest history row was told."""
    row = User.history.latest("history_id")
    return row.history_actor, row.history_on_behalf_of, row.history_reason


def make_user(name: str) -> User:
    return User.objects.create(username=name)


def test_an_actor_is_written_as_kind_and_key() -> None:
    assert str(Actor("candidate", "46/46DEMO0001")) == "candidate:46/46DEMO0001"


def test_acting_takes_nothing_over_from_outside_and_gives_it_back() -> None:
    with acting(CLERK, on_behalf_of="candidate:46/A", reason="telephone"):
        with acting(Actor("job", "sweep")):
            assert current() == Acting(Actor("job", "sweep"))
        assert current() == Acting(CLERK, "candidate:46/A", "telephone")
    assert current() == NOBODY


def test_because_keeps_the_actor() -> None:
    with acting(CLERK, on_behalf_of="candidate:46/A"), because("hospital"):
        assert current() == Acting(CLERK, "candidate:46/A", "hospital")
    with acting(CLERK), because("hospital", on_behalf_of="candidate:46/B"):
        assert current() == Acting(CLERK, "candidate:46/B", "hospital")


@pytest.mark.django_db
def test_actor_and_reason_reach_history_in_a_transaction() -> None:
    with acting(CLERK, on_behalf_of="candidate:46/A", reason="50 % wrong, O'Neil said \\ so"):
        make_user("one")
    assert told() == ("staff:7", "candidate:46/A", "50 % wrong, O'Neil said \\ so")


@pytest.mark.django_db(transaction=True)
def test_actor_reaches_history_in_autocommit_and_is_gone_afterwards() -> None:
    with acting(CLERK, reason="x"):
        make_user("one")
    assert told() == ("staff:7", "", "x")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.actor', true)")
        assert cursor.fetchone()[0] in {"", None}
    make_user("two")
    assert told() == ("", "", "")


@pytest.mark.django_db
def test_a_later_statement_of_the_same_transaction_is_not_laid_at_the_first_actors_door() -> None:
    with acting(CLERK, reason="x"):
        make_user("one")
    make_user("two")
    assert told() == ("", "", "")
    with acting(Actor("job", "sweep")):
        make_user("three")
    assert told() == ("job:sweep", "", "")


@pytest.mark.django_db
def test_a_savepoint_rolled_back_does_not_bring_an_actor_back() -> None:
    with acting(CLERK):
        make_user("one")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user("one")
    make_user("two")
    assert told() == ("", "", "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "params"),
    [
        ("UPDATE accounts_user SET first_name = '50%' WHERE username = 'one'", None),
        ("UPDATE accounts_user SET first_name = %s || '%%' WHERE username = 'one'", ["50"]),
        ("UPDATE accounts_user SET first_name = %(name)s WHERE username = 'one'", {"name": "50%"}),
        ("  -- why\n /* (a) */ update accounts_user SET first_name = '50%' WHERE username = 'one'", None),
        ("WITH n AS (SELECT '50%' AS name) UPDATE accounts_user SET first_name = name FROM n", None),
        ("MERGE INTO accounts_user USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET first_name = '50%'", None),
    ],
)
def test_raw_statements_keep_their_percent_signs_and_tell_who_acts(statement: str, params: Any) -> None:
    make_user("one")
    with acting(CLERK, reason="100 %"), connection.cursor() as cursor:
        cursor.execute(statement, params)
        assert cursor.rowcount == 1
    assert User.objects.get(username="one").first_name == "50%"
    assert told() == ("staff:7", "", "100 %")


@pytest.mark.django_db
def test_returning_and_executemany_work_and_tell_who_acts() -> None:
    with acting(CLERK, reason="%s"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_group (name) VALUES (%s), ('100%%') RETURNING name",
            ["one"],
        )
        assert cursor.fetchall() == [("one",), ("100%",)]
        make_user("one")
        make_user("two")
        cursor.executemany(
            "UPDATE accounts_user SET first_name = %s WHERE username = %s", [("A", "one"), ("B", "two")]
        )
    changes = User.history.filter(history_type="~").order_by("history_id")
    assert list(changes.values_list("first_name", "history_actor", "history_reason")) == [
        ("A", "staff:7", "%s"),
        ("B", "staff:7", "%s"),
    ]


@pytest.mark.django_db
def test_composed_statements_tell_who_acts() -> None:
    make_user("one")
    composed = sql.SQL("UPDATE {} SET first_name = %s").format(sql.Identifier("accounts_user"))
    with acting(CLERK), connection.cursor() as cursor:
        cursor.execute(composed, ["A"])
        assert told() == ("staff:7", "", "")
        cursor.execute(b"UPDATE accounts_user SET first_name = 'B'")
    assert User.objects.get().first_name == "B"


@pytest.mark.django_db
def test_copy_tells_who_acts() -> None:
    columns = ["username", "password", "is_superuser", "first_name", "last_name", "email", "is_staff", "is_active"]
    with acting(CLERK, reason="import"), connection.cursor() as cursor:
        copy_rows(
            cursor,
            "accounts_user",
            [*columns, "date_joined", "role"],
            [["one", "!", False, "", "", "", False, True, "2026-11-20T10:00:00Z", "CLERK"]],
        )
    assert told() == ("staff:7", "", "import")


@pytest.fixture
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def spy(execute: Any, statement: Any, params: Any, many: bool, context: Any) -> Any:
        seen.append(str(statement))
        return execute(statement, params, many, context)

    # Added after the recorder, it sees what the recorder passes on.
    connection.execute_wrappers.append(spy)
    yield seen
    connection.execute_wrappers.remove(spy)


@pytest.mark.django_db
def test_reading_statements_are_left_alone(statements: list[str]) -> None:
    with acting(CLERK):
        assert not User.objects.exists()
        list(User.objects.select_for_update().filter(pk__in=User.objects.filter(username="INSERT")))
    assert [text for text in statements if "set_config" in text] == []


@pytest.mark.django_db
def test_who_acts_costs_no_further_statement(django_assert_num_queries: Any) -> None:
    with acting(CLERK), django_assert_num_queries(1):
        make_user("one")


@pytest.mark.django_db
def test_nothing_is_said_where_nobody_ever_acted(statements: list[str]) -> None:
    connection.was_told_who_acts = False  # type: ignore[attr-defined]
    make_user("one")
    assert [text for text in statements if "set_config" in text] == []
    assert told() == ("", "", "")


@pytest.mark.django_db
def test_a_found_actor_is_looked_for_only_when_something_is_written() -> None:
    asked: list[int] = []

    def find() -> Acting:
        asked.append(1)
        return Acting(CLERK)

    with acting_as_found(find):
        assert not User.objects.exists()
        assert asked == []
        make_user("one")
    assert asked == [1]
    assert told() == ("staff:7", "", "")


def test_a_name_cannot_end_the_literal_it_stands_in() -> None:
    statement = context.settings_sql(Acting(Actor("x", "');DROP TABLE a;--"), "", "a\x00b"))
    assert statement == (
        "SELECT set_config('app.actor', 'x:'');DROP TABLE a;--', true), "
        "set_config('app.on_behalf_of', '', true), set_config('app.reason', 'ab', true)"
    )
