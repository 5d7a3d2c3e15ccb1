"""What a change of the fee would mean for bookings: sold ones keep theirs, offers would be asked the new one."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from bookings import selectors
from bookings.models import Booking
from common import clock
from payments.models import FeeSchedule
from referrals.models import Referral
from tests.factories import bookings as b
from tests.factories import payments as f

pytestmark = pytest.mark.django_db


def test_what_is_sold_is_counted_by_status_and_fee(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    fee = f.fee()
    b.BookingFactory.create_batch(2)
    b.ConfirmedBookingFactory.create(fee_pence=9000)
    day = dt.date(2026, 11, 21)
    with django_assert_num_queries(3):
        seen = selectors.fee_change(course_type_id=fee.course_type_id, mode=fee.mode, force_code="", on=day)
    assert [(line.status, line.fee_pence, line.bookings) for line in seen.sold] == [
        ("HELD", 9200, 2),
        ("CONFIRMED", 9000, 1),
    ]
    other = selectors.fee_change(course_type_id=fee.course_type_id, mode=fee.mode, force_code="42", on=day)
    assert (other.sold, other.offers) == ([], 0)


def test_the_page_shows_them_before_the_fee_is_saved() -> None:
    user = User.objects.create_user("finance-test", role=Role.FINANCE, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="payments"))
    client = Client()
    client.force_login(user)
    b.ConfirmedBookingFactory.create()
    fee, sold = f.fee(), list(Booking.objects.values())
    given = {
        "course_type": fee.course_type_id,
        "mode": fee.mode,
        "force": "",
        "valid_from": (clock.london_day(clock.now()) + dt.timedelta(days=1)).isoformat(),
        "police": "45",
        "levy": "3",
        "vat_code": "OUTSIDE",
        "vat": "0",
        "provider": "49",
        "reason": "published",
    }
    address = reverse("admin:payments_feeschedule_add")
    text = client.post(address, given).text
    row = '<thscope="row">Confirmed</th><td>1</td><td>£92.00</td><td>£92.00</td><td>£5.00</td>'
    assert row in re.sub(r"\s+", "", text)
    assert FeeSchedule.objects.filter(pk=fee.pk, valid_to=None).exists()
    seen = re.search('name="seen" value="([0-9a-f]{64})"', text)
    assert seen is not None
    assert client.post(address, given | {"seen": seen[1]}).status_code == 302
    assert list(Booking.objects.values()) == sold
    assert Referral.objects.count() == 1
