"""A worker is killed in the middle of a batch: another one goes on where it was, and nothing is done twice."""

import datetime as dt
import io

import psycopg2
import pytest

from audit.models import AuditEvent
from common import clock
from devtools import processes
from referrals import selectors, services
from referrals.constants import BatchStatus
from referrals.models import Batch, BatchRow, Referral
from tests.referrals.files import JOB, as_csv, codes, many, receive
from tests.support import databases
from tests.support.programs import Program

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 10_000
BAD = 500
_TWO_MINUTES = dt.timedelta(minutes=2)


def content() -> bytes:
    """Ten thousand rows; every twentieth has an impossible date of birth."""
    rows = many(ROWS)
    for row in rows[::20]:
        row["date_of_birth"] = "31/02/1980"
    return as_csv(rows)


def test_s16_batch_killed_at_row_6000_is_resumed_and_the_second_upload_is_a_no_op(
    celery_worker_process: Program,
) -> None:
    sent = content()
    row_7000 = many(1, start=7000)[0]["reference"]
    with psycopg2.connect(databases.current_url()) as blocker:
        # A row that is not committed yet makes the worker wait in its seventh slice, with six of them settled.
        with blocker.cursor() as cursor:
            cursor.execute(
                "INSERT INTO referrals_referral (force_id, reference, pin_hash, course_type_id, status, status_at, "
                "status_by, received_at, bookable_at, offence_code, offence_at, offence_location, "
                "vehicle_registration, title, forenames, surname, surname_key, date_of_birth, licence_type, "
                "driver_number_encrypted, driver_number_hash, person_hash, licence_country, address_1, address_2, "
                "address_3, town, postcode, "
                "country, email, mobile, landline, offer_on, book_by, complete_by, content_hash) "
                "SELECT '46', %s, '', id, 'LIVE', now(), 'x', now(), now(), 'SP30', now(), '', '', '', 'x', 'x', 'X', "
                "'1980-01-01', 'GB', '', '', '', '', 'x', '', '', '', '', 'GB', '', '', '', '2026-11-20', "
                "'2026-12-20', '2027-01-20', '' FROM courses_coursetype WHERE code = 'NSAC'",
                [row_7000],
            )
        batch = receive(sent, now=clock.now())
        assert processes.wait_until(lambda: settled_to(batch) == 6001, seconds=60)
        celery_worker_process.kill()
        blocker.rollback()
        assert processes.wait_until(databases.is_quiet, seconds=20), "the server never ended what the dead one began"
    assert settled_to(batch) == 6001
    assert Referral.objects.count() + BAD * 6 // 10 == BatchRow.objects.count() == 6000
    first_rows = list(BatchRow.objects.order_by("number").values_list("pk", flat=True))

    assert services.import_next_batch(by=JOB, now=clock.now()) is None  # still claimed by the one that is dead
    done = services.import_next_batch(by=JOB, now=clock.now() + _TWO_MINUTES)
    assert done is not None
    told = selectors.receipt(done)
    assert (done.status, told["rows"], told["new"], told["rejected"]) == (BatchStatus.SETTLED, ROWS, ROWS - BAD, BAD)
    assert told["unchanged"] == told["changed"] == told["quarantined"] == 0
    assert list(BatchRow.objects.order_by("number").values_list("pk", flat=True))[:6000] == first_rows
    assert Referral.objects.count() == Referral.history.count() == ROWS - BAD
    assert AuditEvent.objects.filter(action="referral.received").count() == ROWS - BAD
    bad = BatchRow.objects.filter(state="rejected").order_by("number")
    assert [row.number for row in bad] == list(range(2, ROWS + 2, 20))
    assert {tuple(codes(row)) for row in bad} == {(("date_of_birth", "invalid_date"),)}

    again, is_new = services.receive_batch(
        file=io.BytesIO(sent), file_name="again.csv", kind="referrals", force=batch.force, by=JOB, now=clock.now()
    )
    assert (again, is_new) == (done, False)
    assert selectors.receipt(again) == told
    assert Referral.history.count() == ROWS - BAD


def settled_to(batch: Batch) -> int:
    return int(Batch.objects.values_list("settled_to", flat=True).get(pk=batch.pk))
