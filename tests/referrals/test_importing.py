"""Whole batches through the import, against the files of the agreement."""

import datetime as dt
from typing import Any

import pytest
from django.db import DataError, connection

from audit.models import AuditEvent
from bookings.models import Booking
from common.crypto import decrypt
from referrals import lookups, selectors, services
from referrals.cells import cells_of
from referrals.constants import BatchStatus, ReferralStatus
from referrals.errors import ClaimLostError
from referrals.files import FileRefusedError
from referrals.models import Batch, BatchRow, Referral
from referrals.services import importing
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as factories
from tests.referrals import workbooks
from tests.referrals.files import (
    FORECAST,
    GOOD,
    JOB,
    OFFICER,
    TODAY,
    UGLY,
    as_csv,
    codes,
    expected,
    import_bytes,
    many,
    receive,
    states,
    table,
)

pytestmark = pytest.mark.django_db


def counts(batch: Batch) -> dict[str, int]:
    return {name: getattr(batch, name) for name in ("rows", "new", "unchanged", "changed", "rejected", "quarantined")}


def test_good_file_makes_300_referrals() -> None:
    batch = import_bytes(GOOD.read_bytes())

    assert selectors.receipt(batch) == {
        "batch": str(batch.pk),
        "kind": "referrals",
        "force": "46",
        "sha256": batch.sha256,
        "file_name": "batch.csv",
        "received_at": "2026-11-20T12:00:00Z",
        "settled_at": selectors.instant(batch.settled_at),
        "rows": 300,
        "new": 300,
        "unchanged": 0,
        "changed": 0,
        "rejected": 0,
        "quarantined": 0,
        "warnings": batch.warnings,
    }
    assert Referral.objects.count() == 300
    first = Referral.objects.select_related("course_type").get(reference="46KD00000126")
    assert (first.forenames, first.surname, first.status) == ("Paul Tomasz", "Ó'Brien", ReferralStatus.LIVE)
    assert first.course_type.code == "NSAC"
    assert first.offence_at == dt.datetime(2026, 11, 3, 18, 34, tzinfo=dt.UTC)
    assert (first.offer_on, first.complete_by) == (dt.date(2026, 11, 20), dt.date(2027, 3, 3))
    assert first.book_by == dt.date(2026, 12, 18)
    assert bytes(first.pin_hash) == lookups.pin_hash("46", "46KD00000126", "097435")
    assert decrypt(first.driver_number_encrypted) == "OBRIE607035PT9XB"
    assert first.received_at == first.bookable_at == TODAY
    assert first.batch_id == batch.pk


def test_each_new_referral_is_in_history_and_audit() -> None:
    batch = import_bytes(GOOD.read_bytes())

    history = Referral.history.values_list("history_type", "history_actor", "history_on_behalf_of")
    assert set(history) == {("+", "job:import_batches", "officer:3")}
    assert Referral.history.count() == 300
    events = AuditEvent.objects.filter(action="referral.received")
    assert events.count() == 300
    event = events.get(referral_key="46/46KD00000126")
    assert (event.words, event.actor, event.on_behalf_of) == (
        "Received in batch.csv, row 2",
        "job:import_batches",
        "officer:3",
    )
    assert event.data == {"batch": str(batch.pk), "row": 2}


def test_good_rows_keep_no_cells_in_the_clear_or_otherwise() -> None:
    batch = import_bytes(GOOD.read_bytes())

    row = BatchRow.objects.get(batch=batch, number=2)
    assert bytes(row.cells_encrypted) == b""
    assert (row.state, row.row_force_code, row.reference) == ("new", "46", "46KD00000126")


def test_s17_ugly_file_has_exactly_the_expected_receipt() -> None:
    batch = import_bytes(UGLY.read_bytes())

    told = expected()
    assert counts(batch) == told["counts"]
    rows = {
        str(row.number): {
            "state": row.state,
            "errors": [list(code) for code in codes(row)],
            "warnings": sorted(each["code"] for each in row.warnings),
        }
        for row in BatchRow.objects.filter(batch=batch)
    }
    assert rows == told["rows"]
    assert batch.warnings == sum(len(row["warnings"]) for row in told["rows"].values())


def test_s17_names_are_byte_right() -> None:
    import_bytes(UGLY.read_bytes())

    names = dict(Referral.objects.values_list("reference", "surname"))
    assert names["46UG00000226"] == "O\u2019Neil"
    assert names["46UG00000326"] == "Müller"
    assert Referral.objects.get(reference="46UG00000226").forenames == "Seán"


def test_s17_rejected_row_tells_column_code_message_and_value() -> None:
    batch = import_bytes(UGLY.read_bytes())

    row = BatchRow.objects.get(batch=batch, number=6)
    (error,) = row.errors
    assert set(error) == {"column", "code", "message", "value"}
    assert (error["column"], error["code"], error["value"]) == ("date_of_birth", "invalid_date", "31/02/1980")
    assert cells_of(row.cells_encrypted)[13] == "31/02/1980"


def test_same_bytes_again_are_the_first_batch() -> None:
    first = import_bytes(GOOD.read_bytes())
    again = import_bytes(GOOD.read_bytes(), now=TODAY + dt.timedelta(days=1))

    assert again == first
    assert selectors.receipt(again) == selectors.receipt(first)
    assert Batch.objects.count() == 1
    assert Referral.history.count() == 300


def test_same_rows_in_other_bytes_are_unchanged() -> None:
    import_bytes(GOOD.read_bytes())
    again = import_bytes(as_csv(list(reversed(table()))))

    assert counts(again) == {"rows": 300, "new": 0, "unchanged": 300, "changed": 0, "rejected": 0, "quarantined": 0}
    assert Referral.history.count() == 300


def test_mended_rejected_file_is_taken_as_it_is() -> None:
    batch = import_bytes(UGLY.read_bytes())
    rejected = b"".join(selectors.rejected_file(batch)).decode("utf-8-sig")
    assert len(rejected.splitlines()) == 13

    same = import_bytes(rejected.encode("utf-8-sig"))
    # The row that was a duplicate within its own file stays one for as long as its error stands beside it.
    assert counts(same) == {"rows": 12, "new": 0, "unchanged": 0, "changed": 0, "rejected": 12, "quarantined": 0}

    mended = import_bytes(rejected.replace("31/02/1980", "28/02/1980").encode())
    assert counts(mended) == {"rows": 12, "new": 1, "unchanged": 0, "changed": 0, "rejected": 11, "quarantined": 0}
    assert Referral.objects.get(reference="46UG00000526").date_of_birth == dt.date(1980, 2, 28)


def test_changed_row_is_applied_and_told_where_nothing_is_booked() -> None:
    rows = many(2)
    import_bytes(as_csv(rows))
    held = Referral.objects.get(reference=rows[0]["reference"])
    rows[0] |= {"surname": "Newname", "pin": "998877", "town": "Dover"}
    batch = import_bytes(as_csv(rows))

    assert counts(batch) == {"rows": 2, "new": 0, "unchanged": 1, "changed": 1, "rejected": 0, "quarantined": 0}
    row = BatchRow.objects.get(batch=batch, number=2)
    assert row.changes == {
        "pin": ["(not shown)", "(not shown)"],
        "surname": [held.surname, "Newname"],
        "town": [held.town, "Dover"],
    }
    now_held = Referral.objects.get(pk=held.pk)
    assert (now_held.surname, now_held.surname_key, now_held.town) == ("Newname", "NEWNAME", "Dover")
    assert bytes(now_held.pin_hash) == lookups.pin_hash("46", held.reference, "998877")
    assert (now_held.status, now_held.received_at, now_held.batch_id) == (held.status, held.received_at, held.batch_id)
    assert [each.surname for each in now_held.history.order_by("history_id")] == [held.surname, "Newname"]
    event = AuditEvent.objects.get(action="referral.changed")
    assert (event.referral_key, event.words) == (held.key, "Changed by batch.csv, row 2: pin, surname, town")
    assert event.data == {"batch": str(batch.pk), "row": 2, "columns": ["pin", "surname", "town"]}


@pytest.mark.parametrize(
    "status", [ReferralStatus.BOOKED, ReferralStatus.COMPLETED, ReferralStatus.WITHDRAWN, ReferralStatus.EXPIRED]
)
def test_changed_row_waits_where_something_is_booked_or_ended(status: str) -> None:
    rows = many(1)
    import_bytes(as_csv(rows))
    Referral.objects.update(status=status)
    before = Referral.objects.values().get()
    rows[0]["town"] = "Dover"
    batch = import_bytes(as_csv(rows))

    assert counts(batch) == {"rows": 1, "new": 0, "unchanged": 0, "changed": 0, "rejected": 0, "quarantined": 1}
    row = BatchRow.objects.get(batch=batch)
    what = "something is booked" if status == "BOOKED" else f"the offer is “{ReferralStatus(status).label.lower()}”"
    assert row.errors == [
        {
            "column": "reference",
            "code": "changed_while_booked",
            "message": f"This differs from what we hold (town), and {what}. Someone must decide.",
            "value": rows[0]["reference"],
        }
    ]
    assert row.changes["town"][1] == "Dover"
    assert Referral.objects.values().get() == before
    assert not AuditEvent.objects.filter(action="referral.changed").exists()


@pytest.mark.parametrize("booking", [b.BookingFactory, b.ReadyBookingFactory])
def test_changed_row_waits_while_a_place_is_held(booking: Any) -> None:
    rows = many(1)
    import_bytes(as_csv(rows))
    held = Referral.objects.get()
    booking.create(referral=held, session=c.OpenSessionFactory.create(course_type=held.course_type))
    before = (Referral.objects.values().get(), Referral.history.count(), Booking.objects.values().get())
    rows[0] |= {"course_code": "WDU", "complete_by": "2026-12-20", "book_by": "2026-12-10"}
    batch = import_bytes(as_csv(rows))

    assert states(batch) == {2: "quarantined"}
    row = BatchRow.objects.get(batch=batch)
    assert codes(row) == [("reference", "changed_while_booked")]
    assert row.errors[0]["message"].endswith("and a place is being held. Someone must decide.")
    assert (Referral.objects.values().get(), Referral.history.count(), Booking.objects.values().get()) == before
    assert not AuditEvent.objects.filter(action="referral.changed").exists()


def test_changed_row_is_applied_once_the_place_is_given_back_and_after_a_course_not_completed() -> None:
    rows = many(2)
    import_bytes(as_csv(rows))
    gone, failed = Referral.objects.order_by("reference")
    c.ReleasedPlaceFactory.create(holder=gone.key)
    Referral.objects.filter(pk=failed.pk).update(status=ReferralStatus.NOT_COMPLETED)
    c.TakenPlaceFactory.create(holder=failed.key)
    batch = import_bytes(as_csv([row | {"town": "Dover"} for row in rows]))

    assert states(batch) == {2: "changed", 3: "changed"}
    assert list(Referral.objects.values_list("town", flat=True)) == ["Dover", "Dover"]


def test_unchanged_row_after_an_extension_does_not_take_it_back() -> None:
    rows = many(1)
    import_bytes(as_csv(rows))
    Referral.objects.update(complete_by=dt.date(2027, 4, 1))
    rows.append(many(1, start=7)[0])
    batch = import_bytes(as_csv(rows))

    assert states(batch) == {2: "unchanged", 3: "new"}
    assert Referral.objects.get(reference=rows[0]["reference"]).complete_by == dt.date(2027, 4, 1)


def offered(**changes: str) -> tuple[dict[str, str], Referral]:
    """A row, imported, and its offer."""
    row = many(1)[0] | {"course_code": "NSAC", "book_by": "2026-12-18", "complete_by": "2027-02-25"} | changes
    import_bytes(as_csv([row]))
    return row, Referral.objects.get()


def dates_of(referral: Referral) -> tuple[str, str]:
    referral.refresh_from_db()
    return referral.book_by.isoformat(), referral.complete_by.isoformat()


def extend(referral: Referral, complete_by: dt.date = dt.date(2027, 3, 23)) -> None:
    """Police move complete by; book by goes with it."""
    services.extend(
        force_code="46",
        reference=referral.reference,
        complete_by=complete_by,
        evidence="Letter",
        by=OFFICER,
        now=TODAY,
    )


def decide_course(referral: Referral, code: str = "WDU") -> None:
    services.decide_course(
        force_code="46", reference=referral.reference, course_code=code, reason="Looked again", by=OFFICER, now=TODAY
    )


EXTENDED = ("2027-01-13", "2027-03-23")


def test_file_that_mends_something_else_takes_no_extension_back() -> None:
    row, held = offered()
    extend(held)
    batch = import_bytes(as_csv([row | {"town": "Dover"}]))

    assert states(batch) == {2: "changed"}
    assert list(BatchRow.objects.get(batch=batch).changes) == ["town"]
    assert dates_of(held) == EXTENDED
    assert held.town == "Dover"
    assert states(import_bytes(as_csv([row | {"town": "Dover"}]) + b"\r\n")) == {2: "unchanged"}
    extend(held, dt.date(2027, 3, 30))
    assert states(import_bytes(as_csv([row | {"town": "Deal"}]))) == {2: "changed"}
    assert (*dates_of(held), held.town) == ("2027-01-20", "2027-03-30", "Deal")


@pytest.mark.parametrize("is_left_out", [False, True])
def test_day_that_a_file_leaves_empty_changes_no_held_one(*, is_left_out: bool) -> None:
    row, held = offered()
    row |= {"book_by": "", "complete_by": "", "town": "Dover"}
    if is_left_out:
        del row["book_by"], row["complete_by"]
    batch = import_bytes(as_csv([row]))
    assert (states(batch), dates_of(held)) == ({2: "changed"}, ("2026-12-18", "2027-02-25"))
    # What was not filled in is not said to be: book by would have been the same.
    assert [each["code"] for each in BatchRow.objects.get(batch=batch).warnings] == ["book_by_filled_in"]
    extend(held)
    batch = import_bytes(as_csv([row | {"town": "Deal"}]))
    assert (states(batch), dates_of(held), held.town) == ({2: "changed"}, EXTENDED, "Deal")


def test_extension_of_a_day_that_was_filled_in_stands() -> None:
    row, held = offered(book_by="", complete_by="")
    extend(held)
    stands = dates_of(held)
    batch = import_bytes(as_csv([row | {"town": "Dover"}]))
    assert (states(batch), dates_of(held), held.town) == ({2: "changed"}, stands, "Dover")


def test_file_that_takes_an_extension_back_waits_for_a_person() -> None:
    row, held = offered()
    extend(held)
    before = Referral.objects.values().get()
    batch = import_bytes(as_csv([row | {"complete_by": "2027-03-01", "town": "Dover"}]))

    assert states(batch) == {2: "quarantined"}
    told = BatchRow.objects.get(batch=batch)
    assert codes(told) == [("reference", "changed_while_booked")]
    assert told.errors[0]["message"] == (
        "This differs from what we hold (town, complete by), and police have decided the complete by otherwise since "
        "the file before. Someone must decide."
    )
    assert Referral.objects.values().get() == before
    services.accept_row(row_id=told.pk, reason="They say so", by=OFFICER, now=TODAY)
    assert (*dates_of(held), held.town) == (EXTENDED[0], "2027-03-01", "Dover")


def test_file_that_extends_further_is_applied() -> None:
    row, held = offered()
    extend(held)
    batch = import_bytes(as_csv([row | {"complete_by": "2027-04-02"}]))
    assert (states(batch), dates_of(held)) == ({2: "changed"}, (EXTENDED[0], "2027-04-02"))
    # What the file gave, a file may take back.
    batch = import_bytes(as_csv([row | {"complete_by": "2027-03-01"}]))
    assert (states(batch), dates_of(held)) == ({2: "changed"}, (EXTENDED[0], "2027-03-01"))


def test_file_that_mends_something_else_takes_no_course_decided_back() -> None:
    row, held = offered()
    decide_course(held)
    batch = import_bytes(as_csv([row | {"town": "Dover"}]))
    held.refresh_from_db()
    assert (states(batch), held.course_type.code, held.town) == ({2: "changed"}, "WDU", "Dover")

    batch = import_bytes(as_csv([row | {"course_code": "NMAC", "town": "Deal"}]))
    held.refresh_from_db()
    assert (states(batch), held.course_type.code, held.town) == ({2: "quarantined"}, "WDU", "Dover")


def test_accepted_row_takes_no_extension_back_that_it_does_not_speak_of() -> None:
    row, held = offered()
    extend(held)
    Referral.objects.update(status=ReferralStatus.BOOKED)
    batch = import_bytes(as_csv([row | {"town": "Dover"}]))
    services.accept_row(row_id=BatchRow.objects.get(batch=batch).pk, reason="Moved", by=OFFICER, now=TODAY)
    assert (*dates_of(held), held.town) == (*EXTENDED, "Dover")


def test_held_day_that_fits_the_mended_offence_no_more_waits_for_a_person() -> None:
    row, _ = offered()
    before = Referral.objects.values().get()
    batch = import_bytes(as_csv([row | {"offence_at": "2026-08-03T18:34", "complete_by": ""}]))
    assert states(batch) == {2: "quarantined"}
    assert "the complete by that we hold does not fit" in BatchRow.objects.get(batch=batch).errors[0]["message"]
    assert Referral.objects.values().get() == before


def completed(offence_at: dt.datetime, **fields: object) -> Referral:
    return factories.CompletedReferralFactory(
        now=offence_at + dt.timedelta(days=14), offence_at=offence_at, reference="46EARLIER1", **fields
    )


EARLIER = dt.datetime(2023, 12, 3, 18, 34, tzinfo=dt.UTC)  # 2 years and 11 months before the row's offence


def row_of(**changes: str) -> dict[str, str]:
    """Row 2 of the good file: NSAC, offence on 3 November 2026, driver number OBRIE607035PT9XB."""
    return table()[0] | changes


def test_s18_same_course_within_three_years_is_quarantined_with_the_date_allowed() -> None:
    completed(EARLIER, driver_number="OBRIE607035PT9XB")
    batch = import_bytes(as_csv([row_of()]))

    row = BatchRow.objects.get(batch=batch)
    assert (row.state, codes(row)) == ("quarantined", [("offence_at", "three_year_bar")])
    assert row.errors[0]["value"] == "2026-11-03T18:34"
    assert row.errors[0]["message"] == (
        "The same person completed NSAC for an offence on 3 December 2023 (reference 46EARLIER1). This course is "
        "allowed for offences from 4 December 2026. Someone must decide."
    )
    assert not Referral.objects.filter(reference="46KD00000126").exists()


def test_s18_other_course_goes_live() -> None:
    completed(EARLIER, driver_number="OBRIE607035PT9XB")
    batch = import_bytes(as_csv([row_of(course_code="WDU")]))

    assert states(batch) == {2: "new"}
    assert Referral.objects.get(reference="46KD00000126").status == ReferralStatus.LIVE


def test_s18_the_day_after_the_third_anniversary_is_free() -> None:
    completed(dt.datetime(2023, 11, 2, 10, tzinfo=dt.UTC), driver_number="OBRIE607035PT9XB")
    assert states(import_bytes(as_csv([row_of()]))) == {2: "new"}


def test_s18_the_third_anniversary_itself_is_barred() -> None:
    completed(dt.datetime(2023, 11, 3, 10, tzinfo=dt.UTC), driver_number="OBRIE607035PT9XB")
    assert states(import_bytes(as_csv([row_of()]))) == {2: "quarantined"}


def test_s18_course_not_completed_bars_nothing() -> None:
    factories.NotCompletedReferralFactory(
        now=EARLIER, offence_at=EARLIER - dt.timedelta(days=14), driver_number="OBRIE607035PT9XB"
    )
    assert states(import_bytes(as_csv([row_of()]))) == {2: "new"}


def test_s18_person_without_driver_number_is_matched_by_name_birth_and_postcode() -> None:
    completed(
        EARLIER,
        driver_number="",
        surname="Ó'Brien",
        date_of_birth=dt.date(1965, 7, 3),
        postcode="TN23 3UT",
        licence_type="OTHER",
    )
    assert states(import_bytes(as_csv([row_of()]))) == {2: "quarantined"}


def test_s18_other_driver_number_is_another_person_whatever_the_name() -> None:
    completed(
        EARLIER,
        driver_number="OBRIE607035PT9ZZ",
        surname="Ó'Brien",
        date_of_birth=dt.date(1965, 7, 3),
        postcode="TN23 3UT",
    )
    assert states(import_bytes(as_csv([row_of()]))) == {2: "new"}


def test_s18_reference_of_another_force_is_not_told() -> None:
    completed(EARLIER, driver_number="OBRIE607035PT9XB", force="42")
    batch = import_bytes(as_csv([row_of()]))

    message = BatchRow.objects.get(batch=batch).errors[0]["message"]
    assert "(a referral by Essex)" in message
    assert "46EARLIER1" not in message


def test_duplicates_across_slices_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importing._SLICE_ROWS, "referrals", 3)
    rows = many(5)
    rows += [dict(rows[0]), rows[0] | {"town": "Elsewhere"}, rows[1] | {"offer_date": "19/11/2026"}]
    batch = import_bytes(as_csv(rows))

    assert states(batch) == {
        2: "new",
        3: "new",
        4: "new",
        5: "new",
        6: "new",
        7: "unchanged",
        8: "rejected",
        9: "rejected",
    }
    assert codes(BatchRow.objects.get(batch=batch, number=8)) == [("reference", "duplicate_in_file")]


def test_unreadable_file_is_refused_with_its_reason() -> None:
    batch = import_bytes(b"name,colour\r\nJo,red\r\n")

    assert batch.status == BatchStatus.REFUSED
    assert batch.refusal.startswith("The first row must hold the column names of a referrals file")
    assert BatchRow.objects.count() == Referral.objects.count() == 0
    event = AuditEvent.objects.get(action="batch.refused")
    assert event.subject == f"batch:{batch.pk}"


def test_forecast_is_kept_in_versions() -> None:
    from referrals.models import ForecastMonth

    batch = import_bytes(FORECAST.read_bytes(), kind="forecast")
    assert counts(batch) == {"rows": 15, "new": 15, "unchanged": 0, "changed": 0, "rejected": 0, "quarantined": 0}

    text = FORECAST.read_text().replace("2026-12,NSAC,3900", "2026-12,NSAC,4100")
    later = import_bytes(text.encode(), kind="forecast", now=TODAY + dt.timedelta(days=1))
    assert counts(later) == {"rows": 15, "new": 0, "unchanged": 14, "changed": 1, "rejected": 0, "quarantined": 0}
    versions = ForecastMonth.objects.filter(month=dt.date(2026, 12, 1), course_type__code="NSAC").order_by("pk")
    assert [(each.expected_referrals, each.superseded_at) for each in versions] == [
        (3900, TODAY + dt.timedelta(days=1)),
        (4100, None),
    ]


def test_finished_batch_is_not_imported_again() -> None:
    batch = import_bytes(GOOD.read_bytes())
    again = services.import_batch(batch_id=batch.pk, by=JOB, now=TODAY + dt.timedelta(days=1))
    assert selectors.receipt(again) == selectors.receipt(batch)


def test_batch_that_somebody_has_is_busy() -> None:
    from referrals.errors import BatchBusyError

    batch = receive(GOOD.read_bytes())
    Batch.objects.update(claimed_until=TODAY + dt.timedelta(seconds=1))
    with pytest.raises(BatchBusyError):
        services.import_batch(batch_id=batch.pk, by=JOB, now=TODAY)
    assert Referral.objects.count() == 0
    assert services.import_next_batch(by=JOB, now=TODAY) is None
    assert services.import_next_batch(by=JOB, now=TODAY + dt.timedelta(seconds=2)) == batch
    assert Referral.objects.count() == 300


def as_workbook(row: dict[str, str], **cells: str) -> bytes:
    """A row as a workbook, some of its cells of another kind than text."""
    made = {n: cells.get(name) or workbooks.text(value) for n, (name, value) in enumerate(row.items())}
    return workbooks.workbook(workbooks.table(",".join(row), made))


FREE_TEXT = (
    "offence_location",
    "vehicle_registration",
    "title",
    "forenames",
    "surname",
    "address_1",
    "address_2",
    "address_3",
    "town",
)


@pytest.mark.parametrize("column", FREE_TEXT)
@pytest.mark.parametrize(
    ("cell", "value", "message"),
    [
        (workbooks.raw("e", "#N/A"), "#N/A", "The cell shows #N/A, the error of a formula. Write the {} itself"),
        (
            workbooks.raw("b", "1"),
            "TRUE",
            "The cell holds the logical value TRUE. Make it a cell of text and write the {} again.",
        ),
    ],
)
def test_error_or_logical_value_of_a_workbook_is_no_name(column: str, cell: str, value: str, message: str) -> None:
    batch = import_bytes(as_workbook(row_of(), **{column: cell}))

    assert states(batch) == {2: "rejected"}
    row = BatchRow.objects.get(batch=batch)
    assert codes(row) == [(column, "invalid_character")]
    assert row.errors[0]["message"].startswith(message.format(column.replace("_", " ")))
    assert row.errors[0]["value"] == value
    assert Referral.objects.count() == 0


def test_all_errors_are_told_beside_those_of_a_workbooks_cells() -> None:
    cells = {name: workbooks.raw("e", "#REF!") for name in ("surname", "complete_by")}
    batch = import_bytes(as_workbook(row_of(date_of_birth="31/02/1980"), **cells))
    assert codes(BatchRow.objects.get(batch=batch)) == [
        ("surname", "invalid_character"),
        ("date_of_birth", "invalid_date"),
        ("complete_by", "invalid_date"),
    ]


def test_row_number_that_no_sheet_has_refuses_the_file() -> None:
    row = row_of()
    made = workbooks.table(",".join(row), {n: workbooks.text(value) for n, value in enumerate(row.values())})
    batch = import_bytes(workbooks.workbook({1: made[1], 3_000_000_000: made[2]}))
    assert (batch.status, Referral.objects.count(), BatchRow.objects.count()) == (BatchStatus.REFUSED, 0, 0)
    assert batch.refusal.startswith("The workbook is damaged.")


def test_batch_that_the_database_cannot_take_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: Any, **__: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 3000000000::integer")

    monkeypatch.setattr(importing, "settle", too_much)
    batch = receive(GOOD.read_bytes())
    with pytest.raises(DataError):
        services.import_next_batch(by=JOB, now=TODAY)
    assert services.import_next_batch(by=JOB, now=TODAY + dt.timedelta(days=1)) is None
    assert services.tell_left(now=TODAY) == 1
    assert Referral.objects.count() == 0
    # Once the reason is gone, somebody may still have it imported.
    monkeypatch.undo()
    assert services.import_batch(batch_id=batch.pk, by=JOB, now=TODAY).new == 300


class SlowClock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


def test_claim_is_renewed_from_when_the_file_has_been_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, open_table, settle_slice = SlowClock(), importing.open_table, importing._settle_slice
    claims: list[dt.datetime | None] = []

    def slowly(*arguments: Any, **options: Any) -> Any:
        clock.seconds += 120
        return open_table(*arguments, **options)

    def noted(batch: Batch, *arguments: Any, **options: Any) -> None:
        claims.append(Batch.objects.get(pk=batch.pk).claimed_until)
        settle_slice(batch, *arguments, **options)
        claims.append(Batch.objects.get(pk=batch.pk).claimed_until)

    monkeypatch.setattr(importing, "time", clock)
    monkeypatch.setattr(importing, "open_table", slowly)
    monkeypatch.setattr(importing, "_settle_slice", noted)
    batch = import_bytes(GOOD.read_bytes())

    opened_at = TODAY + dt.timedelta(seconds=120)
    assert claims == [opened_at + dt.timedelta(seconds=60)] * 2
    assert batch.settled_at == batch.status_at == opened_at


@pytest.mark.parametrize("is_refused", [False, True])
def test_worker_that_comes_back_late_does_not_reopen_a_batch(
    monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    batch = receive(GOOD.read_bytes())
    open_table = importing.open_table
    settled: list[Any] = []

    def held_up(*arguments: Any, **options: Any) -> Any:
        """Another worker claims and settles the batch while this one opens the file."""
        monkeypatch.setattr(importing, "open_table", open_table)
        services.import_batch(batch_id=batch.pk, by=JOB, now=TODAY + dt.timedelta(hours=1))
        settled.extend([Batch.objects.values().get(), AuditEvent.objects.count(), Batch.history.count()])
        if is_refused:
            raise FileRefusedError("empty", "The file is empty.")
        return open_table(*arguments, **options)

    monkeypatch.setattr(importing, "open_table", held_up)
    with pytest.raises(ClaimLostError):
        services.import_batch(batch_id=batch.pk, by=JOB, now=TODAY)
    assert settled == [Batch.objects.values().get(), AuditEvent.objects.count(), Batch.history.count()]
    assert settled[0]["status"] == BatchStatus.SETTLED
