"""Which offer a candidate's details open."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from referrals import lookups
from referrals.selectors import find_offer
from tests.factories import referrals as factories

pytestmark = pytest.mark.django_db
NUMBER = "MORGA657054SM9IJ"


def offer(**given: Any) -> Any:
    return factories.LiveReferralFactory(**({"reference": "46DEMO0001", "driver_number": NUMBER} | given))


@pytest.mark.parametrize(
    "details",
    [
        {"pin": "424242"},
        {"pin": " 424242 "},
        {"driver_number": NUMBER},
        {"driver_number": "morga 657054 sm9ij 35"},
    ],
)
@pytest.mark.parametrize("reference", ["46DEMO0001", "46demo0001 "])
def test_right_details_open_the_offer(reference: str, details: dict[str, str]) -> None:
    held = offer()
    assert find_offer(reference=reference, **details) == held


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"pin": "424243"},
        {"driver_number": "MORGA657054SM9IK"},
        {"pin": "424243", "driver_number": NUMBER},
        {"pin": "", "driver_number": ""},
    ],
)
def test_wrong_details_open_nothing(details: dict[str, str]) -> None:
    offer()
    assert find_offer(reference="46DEMO0001", **details) is None


def test_person_without_a_driver_number_is_not_found_by_an_empty_one() -> None:
    offer(driver_number="")
    assert find_offer(reference="46DEMO0001", driver_number=" ") is None


def test_withdrawn_offer_opens_for_nobody_and_an_expired_one_still_does() -> None:
    factories.WithdrawnReferralFactory(reference="46DEMO0001")
    expired = factories.ExpiredReferralFactory(reference="46DEMO0002")
    assert find_offer(reference="46DEMO0001", pin="424242") is None
    assert find_offer(reference="46DEMO0002", pin="424242") == expired


def test_same_reference_of_two_forces_is_told_apart_by_the_pin() -> None:
    kent = offer()
    essex = offer(force="42", pin="111111")
    assert find_offer(reference="46DEMO0001", pin="424242") == kent
    assert find_offer(reference="46DEMO0001", pin="111111") == essex


@pytest.mark.parametrize("reference", ["46DEMO0001", "46NOSUCH01", "46GONE0001", "?"])
def test_unknown_wrong_and_withdrawn_take_the_same_work(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer()
    factories.WithdrawnReferralFactory(reference="46GONE0001")
    hashed: list[str] = []
    pin_hash = lookups.pin_hash

    def counted(force_code: str, reference: str, pin: str) -> bytes:
        hashed.append(pin)
        return pin_hash(force_code, reference, pin)

    monkeypatch.setattr(lookups, "pin_hash", counted)
    with CaptureQueriesContext(connection) as queries:
        assert find_offer(reference=reference, pin="000000") is None
    assert (len(queries), len(hashed)) == (1, 3)
