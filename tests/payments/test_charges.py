from functools import partial

import pytest

from audit.models import AuditEvent
from payments import selectors, services
from payments.constants import AttemptStatus, ChargeStatus, Purpose, RefundStatus
from payments.errors import AlreadyPaidError, ChargeStateError, WrongPartsError
from payments.models import Charge
from payments.services import moves
from tests.factories import payments as f
from tests.payments.conftest import CANDIDATE, CLERK

pytestmark = pytest.mark.django_db
NOW = f.NOW


def _open(reference: str = "KCC-CDFG-HJKM", **given: object) -> Charge:
    facts: dict[str, object] = {
        "booking_reference": reference,
        "referral_key": "46/46TEST0001",
        "force_code": "46",
        "purpose": Purpose.COURSE_FEE,
        "amount_pence": 9200,
        "parts": f.PARTS,
        "description": "National Speed Awareness Course",
        "email": "",
        "by": CANDIDATE,
        "now": NOW,
    }
    return services.open_charge(**(facts | given))  # type: ignore[arg-type]


def test_open_charge_is_recorded() -> None:
    charge = _open()
    assert (charge.status, charge.parts, charge.status_by) == (ChargeStatus.OPEN, f.PARTS, "candidate:46/46TEST0001")
    event = AuditEvent.objects.get()
    assert (event.action, event.words) == ("charge.opened", "£92 to pay for booking KCC-CDFG-HJKM (course fee)")
    assert (event.referral_key, event.subject) == ("46/46TEST0001", f"charge:{charge.pk}")


def test_open_charge_again_is_the_same_charge() -> None:
    assert _open().pk == _open().pk
    assert (Charge.objects.count(), AuditEvent.objects.count()) == (1, 1)


def test_open_charge_of_another_amount_gives_up_the_first() -> None:
    first = _open()
    second = _open(amount_pence=9300, parts={**f.PARTS, "provider": 4500})
    first.refresh_from_db()
    assert (first.status, second.status, second.amount_pence) == (ChargeStatus.CANCELLED, ChargeStatus.OPEN, 9300)


def test_open_charge_of_wrong_parts_is_refused() -> None:
    with pytest.raises(WrongPartsError):
        _open(amount_pence=9201)
    assert (Charge.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_a_course_fee_is_not_charged_twice_unless_all_of_it_went_back() -> None:
    paid = f.PaidChargeFactory.create(booking_reference="KCC-CDFG-HJKM")
    with pytest.raises(AlreadyPaidError):
        _open()
    refund = f.RefundFactory.create(charge=paid, amount_pence=9199)
    with pytest.raises(AlreadyPaidError):
        _open()
    f.RefundFactory.create(charge=paid, amount_pence=1, status=RefundStatus.REQUESTED)
    assert _open().status == ChargeStatus.OPEN
    assert refund.charge_id == paid.pk


def test_a_second_move_is_charged_again() -> None:
    f.PaidChargeFactory.create(booking_reference="KCC-CDFG-HJKM", purpose=Purpose.MOVE_FEE)
    assert _open(purpose=Purpose.MOVE_FEE).status == ChargeStatus.OPEN


def test_give_up_charge_leaves_what_is_paid() -> None:
    charge = _open()
    paid = f.PaidChargeFactory.create(booking_reference=charge.booking_reference, purpose=Purpose.MOVE_FEE)
    give_up = partial(services.give_up_charge, booking_reference=charge.booking_reference, by=CANDIDATE, now=NOW)
    assert [give_up(), give_up()] == [1, 0]
    charge.refresh_from_db()
    paid.refresh_from_db()
    assert (charge.status, paid.status) == (ChargeStatus.CANCELLED, ChargeStatus.PAID)
    words = "£92 is no longer due for booking KCC-CDFG-HJKM"
    assert AuditEvent.objects.get(action="charge.given_up").words == words


def test_moves_that_the_tables_do_not_have_are_refused() -> None:
    charge, attempt = f.PaidChargeFactory.create(), f.FailedAttemptFactory.create()
    with pytest.raises(ChargeStateError):
        moves.move_charge(charge, ChargeStatus.OPEN, by=CLERK, now=NOW, action="x", words="x")
    with pytest.raises(ChargeStateError):
        moves.move_attempt(attempt, AttemptStatus.OPEN, now=NOW)
    refund = f.FailedRefundFactory.create(charge=charge)
    with pytest.raises(ChargeStateError):
        moves.move_refund(refund, RefundStatus.SUCCEEDED, charge=charge, by=CLERK, now=NOW, action="x", words="x")
    assert moves.move_charge(charge, ChargeStatus.PAID, by=CLERK, now=NOW, action="x", words="x") is False
    assert AuditEvent.objects.count() == 0


def test_charges_of_a_booking_with_all_that_belongs_to_them(django_assert_num_queries: object) -> None:
    refund = f.SucceededRefundFactory.create()
    f.ChargeFactory.create(booking_reference=refund.charge.booking_reference)
    with django_assert_num_queries(3):  # type: ignore[operator]
        charges = list(selectors.charges_of(refund.charge.booking_reference))
        found = [(len(charge.attempts.all()), len(charge.refunds.all())) for charge in charges]
    assert found == [(1, 1), (0, 0)]


def test_has_pending_attempt() -> None:
    assert selectors.has_pending_attempt(f.OpenAttemptFactory.create().charge_id)
    assert not selectors.has_pending_attempt(f.ExpiredAttemptFactory.create().charge_id)
