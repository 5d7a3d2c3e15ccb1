"""Plain rows: told by one pattern, they must come to what the checks make of them in full, or be left to these."""

import datetime as dt
import io
import random

import pytest

from referrals import rules
from referrals.files import Limits, open_table
from referrals.rules import PlainReferrals
from referrals.rules.columns import REFERRAL_COLUMNS
from referrals.services.checking import Prepared, prepare, secrets_of
from tests.referrals.files import TODAY, as_csv, many
from tests.referrals.rows import context

COURSES = {"NSAC": 1, "NMAC": 2, "WDU": 3, "SCD": 4, "NRRAC": 5, "NDAC": 6, "NSAC-20": 7}
ODD = (
    *(
        "",
        " ",
        "x",
        " x",
        "x ",
        "\\",
        "a\\b",
        "\\N",
        "\t",
        "a\tb",
        "|",
        '"',
        "'",
        "\u00a0",
        "a\u00a0b",
        "\ufffd",
        "\u2028",
        "é",
    ),
    *("0", "1", "01", "030", "30", "31", "60", "68", "101", "999", "1234", "12345678", "123456789", "٣٠", "-1", "1.5"),
    *("46", "42", "99", "046", "GB", "gb", " GB", "NI", "EU", "NONE", "IE", "ZZ", "NSAC", "nsac", "NSAC-20", "NOPE"),
    *("2026-11-20", "2026-11-19", "2026-11-21", "2026-10-25", "2026-02-30", "20/11/2026", "2026-11-1", "1899-12-31"),
    *("2010-11-20", "2010-06-01", "2027-02-28", "2027-06-30", "2026-09-01", "2025-01-01", " 2026-11-19"),
    *("2026-11-20T11:59", "2026-11-20T12:01", "2026-11-19T24:00", "2026-10-25T01:30", "2026-10-24T00:10"),
    *("2026-09-01T00:30", "2026-09-01T13:30", "2026-05-19T10:00", "2026-05-20T10:00", "2026-11-03 18:34"),
    *("SP30", "sp30", "CU80", "46ABC", "46ABCD", "46/A-B", "46abcd", "A" * 25, "A" * 26),
    *("GJ22SLY", "GJ22 SLY", "gj22sly", "A", "ABCDEFGHI", "ABCDEFGHIJKLM", "TN23 3UT", "TN233UT", "tn23 3ut", "TN23"),
    *("07700900470", "07700 900470", "+447700900470", "+44 (0)7700900470", "00353123456", "770090047"),
    *("a@example.org", "A.b+c@ex-ample.co.uk", "a|b@example.org", "a@b", "a b@example.org", "a@example..org"),
    *(f"{'a' * 64}@example.org", f"{'a' * 65}@example.org", f"{'a' * 50}@{'b' * 60}.org", "a@xn--p1ai.xn--p1ai"),
    *("SMITH801150JA9XX", "SMITH801150JA9XX 12", "smith801150ja9xx", "SMITH801150JA9X", "MORGA657054SM9IJ"),
    *("Ó'Brien", "MacDonald", "Müller", "O\u2019Neill", "李", "Anne-Marie", "x" * 35, "x" * 36, "x" * 80, "x" * 81),
    *("x" * 120, "x" * 121, "x" * 200, "x" * 201, "ß" * 40),
)


def rows_with_odd_cells() -> list[dict[str, str]]:
    """Good rows, whose days are learned; then each odd value in each column, and then in several."""
    rows = many(300)
    pattern = many(40)
    chance = random.Random(7)
    for column in REFERRAL_COLUMNS:
        for value in ODD:
            rows.append(chance.choice(pattern) | {"reference": f"46ODD{len(rows):06d}"} | {column: value})
    for _ in range(3_000):
        some = {column: chance.choice(ODD) for column in chance.sample(REFERRAL_COLUMNS, chance.choice((2, 2, 3)))}
        rows.append(chance.choice(pattern) | {"reference": f"46ODD{len(rows):06d}"} | some)
    return rows + many(50)


def prepared(content: bytes) -> list[Prepared]:
    table = open_table(io.BytesIO(content), kind=rules.REFERRALS, limits=Limits())
    setting = context(now=TODAY, forces=frozenset({"46", "42"}), courses=frozenset(COURSES))
    rows = prepare(table, after=1, context=setting, seen=rules.SeenRows(table.rows), courses=COURSES)
    return [row._replace(values=None) for row in rows]


def test_plain_rows_come_to_the_same_as_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    content = as_csv(rows_with_odd_cells())
    found: list[bool] = []
    days_of = PlainReferrals.days_of

    def counted(self: PlainReferrals, cells: list[str]) -> object:
        days = days_of(self, cells)
        found.append(days is not None)
        return days

    monkeypatch.setattr(PlainReferrals, "days_of", counted)
    quick = prepared(content)
    monkeypatch.setattr(PlainReferrals, "days_of", lambda self, cells: None)
    full = prepared(content)

    assert quick == full
    assert 900 < sum(found) < len(found)
    assert {row.state for row in quick} == {"new", "rejected", "unchanged", "quarantined"}


def test_nearly_all_rows_of_a_good_file_are_plain() -> None:
    setting = context(now=TODAY, courses=frozenset(COURSES))
    plain = PlainReferrals(setting)
    rows = [[row[column] for column in REFERRAL_COLUMNS] for row in many(300)]
    assert not any(plain.days_of(cells) for cells in rows)  # nothing is learned yet
    for cells in rows:
        plain.learn(cells, rules.check_referral(cells, context=setting))
    assert sum(plain.days_of(cells) is not None for cells in rows) > 260


def test_days_on_which_the_clock_matters_are_never_learned() -> None:
    """Today, some instants are still to come; in the nights when clocks change an hour is another than it seems."""
    now = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    setting = context(now=now, courses=frozenset(COURSES))
    plain = PlainReferrals(setting)
    row = dict(many(1)[0], offer_date="2026-11-20", book_by="", complete_by="")
    for offence_at, is_learned in (
        ("2026-11-20T08:00", False),
        ("2026-10-25T08:00", False),
        ("2026-10-24T08:00", True),
        ("2026-11-19T23:59", True),
    ):
        cells = [(row | {"offence_at": offence_at})[column] for column in REFERRAL_COLUMNS]
        checked = rules.check_referral(cells, context=setting)
        assert checked.values is not None
        plain.learn(cells, checked)
        assert (plain.days_of(cells) is not None) is is_learned, offence_at


def test_secrets_stand_in_the_line_as_they_are_read_again() -> None:
    """What a line for COPY tells of a row's secrets is what its hashes are."""
    rows = [row for row in prepared(as_csv(many(20))) if row.state == "new"]
    for row, secrets in zip(rows, secrets_of(rows), strict=True):
        again = row.with_line(f"{row.line}\t{secrets.text}")
        assert again.hashes is not None
        assert (again.key, again.content) == (row.key, row.content)
        assert (again.hashes.driver_number.hex(), again.hashes.person.hex()) == (secrets.driver_number, secrets.person)
