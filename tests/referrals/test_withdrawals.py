"""Withdrawals files."""

import pytest

from referrals.constants import ReferralStatus
from referrals.models import BatchRow, Referral, Withdrawal
from tests.referrals.files import GOOD, TODAY, WITHDRAWALS, as_csv, codes, import_bytes, states

pytestmark = pytest.mark.django_db


def test_withdrawals_file_closes_what_is_known_and_asks_about_the_rest() -> None:
    import_bytes(GOOD.read_bytes())
    batch = import_bytes(WITHDRAWALS.read_bytes(), kind="withdrawals")

    assert (batch.rows, batch.new, batch.quarantined) == (12, 11, 1)
    assert Referral.objects.filter(status=ReferralStatus.WITHDRAWN).count() == Withdrawal.objects.count() == 11
    row = BatchRow.objects.get(batch=batch, state="quarantined")
    assert (row.number, row.reference, codes(row)) == (13, "46KD99999926", [("reference", "unknown_reference")])
    assert row.errors == [
        {
            "column": "reference",
            "code": "unknown_reference",
            "message": "We do not hold this reference. Someone must decide.",
            "value": "46KD99999926",
        }
    ]
    one = Withdrawal.objects.get(referral__reference="46KD00013126")
    assert (one.reason, one.batch_id, one.received_at, one.acted_at) == ("COURT", batch.pk, TODAY, TODAY)
    assert one.effective_at is not None
    assert one.effective_at.isoformat() == "2026-11-21T09:30:00+00:00"


def sent(*reasons: str) -> bytes:
    one = {"force_code": "46", "reference": "46KD00000126", "effective_at": ""}
    return as_csv([one | {"reason": reason} for reason in reasons])


def test_withdrawn_again_is_unchanged_and_for_another_reason_waits() -> None:
    import_bytes(GOOD.read_bytes())
    assert states(import_bytes(sent("COURT"), kind="withdrawals")) == {2: "new"}
    again = import_bytes(sent("COURT") + b"\r\n", kind="withdrawals")
    assert states(again) == {2: "unchanged"}
    other = import_bytes(sent("OTHER"), kind="withdrawals")
    assert states(other) == {2: "quarantined"}
    assert Withdrawal.objects.get().reason == "COURT"


def test_completed_course_is_not_withdrawn_by_a_file() -> None:
    import_bytes(GOOD.read_bytes())
    Referral.objects.filter(reference="46KD00000126").update(status=ReferralStatus.COMPLETED)
    batch = import_bytes(sent("COURT"), kind="withdrawals")
    assert codes(BatchRow.objects.get(batch=batch)) == [("reference", "changed_while_booked")]
    assert Referral.objects.get(reference="46KD00000126").status == ReferralStatus.COMPLETED
    assert Withdrawal.objects.count() == 0


def test_wrong_reason_and_duplicates_are_rejected() -> None:
    import_bytes(GOOD.read_bytes())
    batch = import_bytes(sent("COURT", "OTHER", "COURT", "BECAUSE"), kind="withdrawals")
    assert states(batch) == {2: "new", 3: "rejected", 4: "unchanged", 5: "rejected"}
    assert BatchRow.objects.get(batch=batch, number=3).errors == [
        {
            "column": "reference",
            "code": "duplicate_in_file",
            "message": "This file has an earlier row with the same key and other content. Only the first one stands; "
            "remove one.",
            "value": "46KD00000126",
        }
    ]
    assert codes(BatchRow.objects.get(batch=batch, number=5)) == [("reason", "invalid_reason")]
