"""The scheme's rules as rows: what a batch is checked by is what is in force on its day."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Role, User
from common import clock
from common.clock import london_day
from referrals.models import CourseBlock, OfferTerms, Referral, SpeedBand
from referrals.services.scheme import read_scheme
from tests.referrals.files import TODAY, as_csv, import_bytes, many
from tests.referrals.rows import context

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def test_the_first_rows_are_those_of_the_scheme() -> None:
    scheme, expected = read_scheme(london_day(TODAY)), context()
    assert scheme.speed_bands == expected.speed_bands
    assert (scheme.terms.book_by_days, scheme.terms.complete_by_months) == (28, 4)
    blocks: dict[str, set[str]] = {}
    for offered, done in CourseBlock.objects.values_list("course_type__code", "blocked_by__code"):
        blocks.setdefault(offered, set()).add(done)
    assert blocks == {
        "NSAC": {"NSAC", "NSAC-20"},
        "NMAC": {"NMAC"},
        "WDU": {"WDU", "SCD", "NRRAC", "D4C", "NDAC", "RIDE"},
        "SCD": {"SCD", "WDU", "NRRAC", "NDAC"},
        "NRRAC": {"NRRAC", "WDU", "SCD", "RIDE"},
    }


def test_a_row_is_in_force_from_its_day_until_the_next() -> None:
    today = london_day(TODAY)
    OfferTerms.objects.create(valid_from=today, book_by_days=21, complete_by_months=5)
    OfferTerms.objects.create(valid_from=today + DAY, book_by_days=14, complete_by_months=3)
    SpeedBand.objects.create(limit_mph=30, slowest_mph=36, fastest_mph=43, valid_from=today)
    days = [read_scheme(today + n * DAY) for n in (-1, 0, 1)]
    assert [scheme.terms.book_by_days for scheme in days] == [28, 21, 14]
    assert [scheme.speed_bands[30] for scheme in days] == [(35, 42), (36, 43), (36, 43)]
    assert [scheme.speed_bands[20] for scheme in days] == [(24, 31)] * 3


def test_a_batch_is_checked_by_the_rows_of_its_day() -> None:
    today = london_day(TODAY)
    first = dict(many(1)[0], offer_date=today.isoformat(), book_by="", complete_by="")
    first |= {"speed_limit_mph": "30", "recorded_speed_mph": "35"}
    before = import_bytes(as_csv([first]))
    OfferTerms.objects.create(valid_from=today, book_by_days=21, complete_by_months=5)
    SpeedBand.objects.create(limit_mph=30, slowest_mph=36, fastest_mph=43, valid_from=today)
    after = import_bytes(as_csv([{**first, "reference": "46SECOND0001"}]))

    earlier, later = Referral.objects.order_by("pk")
    assert (earlier.book_by - today, later.book_by - today) == (28 * DAY, 21 * DAY)
    assert later.complete_by > earlier.complete_by
    told = [
        {warning["code"] for row in batch.batch_rows.all() for warning in row.warnings} for batch in (before, after)
    ]
    assert told[1] - told[0] == {"speed_outside_band"}


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (OfferTerms, {"book_by_days": 0, "complete_by_months": 4}),
        (OfferTerms, {"book_by_days": 28, "complete_by_months": 7}),
        (SpeedBand, {"limit_mph": 30, "slowest_mph": 30, "fastest_mph": 42}),
        (SpeedBand, {"limit_mph": 30, "slowest_mph": 42, "fastest_mph": 35}),
    ],
)
def test_impossible_rows_are_refused_by_the_database(
    model: type[OfferTerms | SpeedBand], values: dict[str, int]
) -> None:
    held = model.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(valid_from=dt.date(2030, 1, 1), **values)
    assert model.objects.count() == held


def test_staff_add_rows_and_change_none_that_has_begun(client: Client) -> None:
    client.force_login(User.objects.create_superuser("clerk", password=None, role=Role.MANAGER))
    tomorrow = london_day(clock.now()) + DAY
    given = {"valid_from": tomorrow.isoformat(), "book_by_days": "21", "complete_by_months": "4"}
    assert client.post("/admin/referrals/offerterms/add/", given).status_code == 302
    coming = OfferTerms.objects.get(valid_from=tomorrow)
    first = OfferTerms.objects.exclude(pk=coming.pk).get()

    change = "/admin/referrals/offerterms/{}/change/"
    assert client.post(change.format(coming.pk), {**given, "book_by_days": "22"}).status_code == 302
    assert client.post(change.format(first.pk), {**given, "book_by_days": "22"}).status_code == 403
    assert client.post(f"/admin/referrals/offerterms/{first.pk}/delete/", {"post": "yes"}).status_code == 403
    assert set(OfferTerms.objects.values_list("pk", "book_by_days")) == {(coming.pk, 22), (first.pk, 28)}
