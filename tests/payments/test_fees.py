"""Fees: by course, mode, force and day; changed only by a new row from a day on; never two at once."""

import datetime as dt
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from payments import selectors, services
from payments.constants import VatCode
from payments.errors import FeeEndError, FeeInThePastError, NoFeeError
from payments.models import FeeSchedule
from payments.rules import Parts
from tests.factories import payments as f
from tests.factories.payments import NOW
from tests.payments.conftest import CLERK

pytestmark = pytest.mark.django_db
# --- Fees ------------------------------------------------------------------------------------------------------
TODAY = dt.date(2026, 11, 20)


def _change(**given: object) -> FeeSchedule:
    fee = f.fee()
    facts: dict[str, object] = {
        "course_type_id": fee.course_type_id,
        "mode": fee.mode,
        "valid_from": dt.date(2027, 4, 1),
        "parts": Parts(police=4800, levy=350, vat=0, provider=4350),
        "reason": "published 1 February 2027",
        "by": CLERK,
        "now": NOW,
    }
    return services.change_fee(**(facts | given))  # type: ignore[arg-type]


def test_fee_on_is_that_of_the_day() -> None:
    old, new = f.fee(), _change()
    fee_on = partial(selectors.fee_on, course_type_id=old.course_type_id, mode=old.mode, force_code="46")
    assert fee_on(on=dt.date(2027, 3, 31)).total_pence == 9200
    assert fee_on(on=dt.date(2027, 4, 1)).pk == new.pk
    with pytest.raises(NoFeeError):
        fee_on(on=dt.date(2019, 12, 31))
    with pytest.raises(NoFeeError):
        selectors.fee_on(course_type_id=old.course_type_id, mode="ON_ROAD", force_code="46", on=TODAY)


def test_change_fee_ends_the_running_one_and_is_recorded() -> None:
    old, new = f.fee(), _change()
    old.refresh_from_db()
    assert (old.valid_to, new.valid_from, new.total_pence) == (dt.date(2027, 3, 31), dt.date(2027, 4, 1), 9500)
    event = AuditEvent.objects.get()
    assert event.words == "The fee of NSAC digital is £95 (was £92) from 1 April 2027"
    assert (event.actor, event.reason) == ("staff:7", "published 1 February 2027")


@pytest.mark.parametrize("day", [TODAY, TODAY - dt.timedelta(days=1)])
def test_change_fee_from_a_day_that_has_begun_is_refused(day: dt.date) -> None:
    with pytest.raises(FeeInThePastError):
        _change(valid_from=day)
    assert f.fee().valid_from == dt.date(2020, 1, 1)
    assert AuditEvent.objects.count() == 0


def test_change_fee_before_one_that_is_planned_is_refused() -> None:
    _change()
    with pytest.raises(FeeInThePastError):
        _change(valid_from=dt.date(2027, 3, 1))
    assert FeeSchedule.objects.filter(mode="DIGITAL", course_type__code="NSAC").count() == 2


# --- A force's own -----------------------------------------------------------------------------------------------
ESSEX = {"force_code": "42", "parts": Parts(police=5000, levy=300, vat=0, provider=4400)}


def test_a_forces_own_fee_wins_for_its_offers_alone_and_ends() -> None:
    new = _change(**ESSEX, valid_to=dt.date(2027, 4, 30))
    every = f.fee()
    assert (every.valid_to, every.total_pence) == (None, 9200)
    fee_on = partial(selectors.fee_on, course_type_id=new.course_type_id, mode=new.mode)
    assert [
        fee_on(force_code=code, on=day).total_pence
        for code, day in (
            ("42", dt.date(2027, 3, 31)),
            ("42", dt.date(2027, 4, 1)),
            ("42", dt.date(2027, 4, 30)),
            ("42", dt.date(2027, 5, 1)),
            ("46", dt.date(2027, 4, 1)),
        )
    ] == [9200, 9700, 9700, 9200, 9200]
    assert AuditEvent.objects.get().words == (
        "The fee of NSAC digital for force 42 is £97 from 1 April 2027 to 30 April 2027"
    )
    own = selectors.forces_with_own_fee(course_type_id=new.course_type_id, mode=new.mode, on=dt.date(2027, 4, 1))
    assert [fee.pk for fee in own] == [new.pk]


def test_a_forces_own_fee_is_followed_by_its_next() -> None:
    first = _change(**ESSEX)
    second = _change(force_code="42", valid_from=dt.date(2027, 6, 1))
    first.refresh_from_db()
    assert (first.valid_to, second.valid_to, second.total_pence) == (dt.date(2027, 5, 31), None, 9500)


@pytest.mark.parametrize(("force", "last"), [("", dt.date(2027, 4, 30)), ("42", dt.date(2027, 3, 31))])
def test_the_fee_for_all_has_no_end_and_none_ends_before_it_begins(force: str, last: dt.date) -> None:
    with pytest.raises(FeeEndError):
        _change(force_code=force, valid_to=last)
    assert (FeeSchedule.objects.filter(valid_from__gt=TODAY).count(), AuditEvent.objects.count()) == (0, 0)
    assert f.fee().valid_to is None


@pytest.mark.parametrize(
    ("force", "mode", "is_refused"), [("42", "DIGITAL", True), ("43", "DIGITAL", False), ("42", "CLASSROOM", False)]
)
def test_the_database_refuses_two_fees_of_one_force_on_one_day(force: str, mode: str, is_refused: bool) -> None:
    fee = _change(**ESSEX)
    fee.pk, fee.force_id, fee.mode, fee.valid_from = None, force, mode, dt.date(2028, 1, 1)
    if is_refused:
        with pytest.raises(IntegrityError, match="payments_fee_no_overlap"), transaction.atomic():
            fee.save(force_insert=True)
    else:
        fee.save(force_insert=True)


def test_the_database_refuses_two_fees_for_all_forces_on_one_day() -> None:
    fee = f.fee()
    fee.pk, fee.valid_from = None, dt.date(2028, 1, 1)
    with pytest.raises(IntegrityError, match="payments_fee_no_overlap"), transaction.atomic():
        fee.save(force_insert=True)


def test_vat_is_paid_at_the_standard_rate_alone() -> None:
    parts = Parts(police=4500, levy=300, vat=880, provider=4400)
    with pytest.raises(IntegrityError, match="payments_fee_vat_has_its_code"), transaction.atomic():
        FeeSchedule.objects.filter(pk=f.fee().pk).update(vat_pence=100, provider_pence=4300)
    fee = _change(parts=parts, vat_code=VatCode.STANDARD)
    assert (fee.vat_code, fee.vat_pence, fee.total_pence) == ("STANDARD", 880, 10080)
