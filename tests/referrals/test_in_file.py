"""Rows of one file with the same key: the first good one stands."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.rules import SeenRows, check_referral
from tests.referrals.judging import Judged, judge
from tests.referrals.rows import CONTEXT, good


def judged(*rows: dict[str, str]) -> list[Judged]:
    seen = SeenRows()
    return [judge(check_referral(row, context=CONTEXT), seen) for row in rows]


def states(*rows: dict[str, str]) -> list[str]:
    return [each.state for each in judged(*rows)]


def test_the_same_content_again_is_unchanged_however_it_is_written() -> None:
    first, second = judged(good(book_by=""), good(book_by="18/12/2026", reference="46kd00000126"))
    assert (first.state, [warning.code for warning in first.warnings]) == ("new", ["book_by_filled_in"])
    assert (second.state, second.problems, second.warnings) == ("unchanged", (), ())


def test_duplicate_in_file_where_the_content_is_another() -> None:
    first, second, third = judged(good(), good(surname="O'Brien"), good())
    assert [each.state for each in (first, second, third)] == ["new", "rejected", "unchanged"]
    assert [(error.column, error.code, error.value) for error in second.problems] == [
        ("reference", "duplicate_in_file", "46KD00000126")
    ]
    assert (second.values, second.warnings) == (None, ())


def test_a_rejected_row_does_not_stand_in_the_way_of_a_good_one() -> None:
    assert states(good(pin="12"), good(), good(pin="12")) == ["rejected", "new", "rejected"]


def test_the_same_reference_of_another_force_is_another_key() -> None:
    assert states(good(), good(force_code="42"), good(force_code="42")) == ["new", "quarantined", "unchanged"]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2)), max_size=3000), st.integers(0, 5000))
def test_seen_rows_answers_like_a_dictionary(rows: list[tuple[int, int]], expected_rows: int) -> None:
    seen, model = SeenRows(expected_rows), dict[tuple[str, ...], Any]()
    for number, content in rows:
        key = ("46", str(number))
        answer = seen.meet(key, content.to_bytes(8, "big"))
        if key not in model:
            model[key] = content
            assert answer == "first"
        else:
            assert answer == ("same" if model[key] == content else "other")
    assert len(seen) == len(model)


def test_seen_rows_grows_past_what_was_expected_and_forgets_nothing() -> None:
    seen = SeenRows()
    for n in range(10_000):
        assert seen.meet(("46", str(n)), bytes(8)) == "first"
    assert len(seen) == 10_000
    assert {seen.meet(("46", str(n)), bytes(8)) for n in range(10_000)} == {"same"}
