"""The officers' pages, as a browser without JavaScript sees them."""

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role, User
from audit.models import AccessLog, AuditEvent
from notifications.models import Message
from referrals import services
from referrals.constants import BatchStatus, ReferralStatus, RowState, WithdrawalReason
from referrals.models import Batch, BatchRow, Force, Officer, Outcome, Referral
from tests.factories import referrals as factories
from tests.referrals.files import GOOD, JOB, OFFICER, UGLY, as_csv, import_bytes, many, receive

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


@pytest.fixture
def officer(client: Client, time_machine: Any) -> Officer:
    """An officer of Kent, signed in; it is noon on 20 November 2026."""
    time_machine.move_to(NOW, tick=False)
    kent = factories.OfficerFactory(username="kent")
    client.force_login(kent.user)
    return kent


def test_signed_out_is_sent_to_sign_in(client: Client) -> None:
    response = client.get("/police/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/police/"


def test_officer_without_a_force_is_refused(client: Client, officer: Officer) -> None:
    Officer.objects.all().delete()
    assert client.get("/police/").status_code == 403


def test_trainer_is_refused(client: Client) -> None:
    client.force_login(User.objects.create_user("trainer", role=Role.TRAINER))
    assert client.get("/police/").status_code == 403


def test_dashboard_counts_only_the_own_force(client: Client, officer: Officer) -> None:
    factories.LiveReferralFactory(now=NOW, complete_by=dt.date(2026, 11, 27))
    factories.LiveReferralFactory(now=NOW, complete_by=dt.date(2026, 11, 28))
    factories.BookedReferralFactory(now=NOW)
    factories.outcome(factories.CompletedReferralFactory(now=NOW), now=NOW - dt.timedelta(days=1))
    factories.LiveReferralFactory(now=NOW, force="42")
    figures = client.get("/police/").context["figures"]

    assert {each.which: each.count for each in figures.open} == {
        "live": 2,
        "booked": 1,
        "not-completed": 0,
        "within-7-days": 1,
        "within-14-days": 2,
    }
    assert figures.completed_lately == 1
    assert (figures.waiting_for_decision, figures.unreported) == (0, 1)


def test_upload_stores_the_file_and_shows_how_far_it_is(client: Client, officer: Officer) -> None:
    file = SimpleUploadedFile("offers.csv", GOOD.read_bytes(), content_type="text/csv")
    response = client.post("/police/upload/", {"kind": "referrals", "file": file})

    batch = Batch.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/police/batches/{batch.pk}/"
    assert (batch.force_id, batch.file_name, batch.kind, batch.status) == ("46", "offers.csv", "referrals", "RECEIVED")
    assert batch.received_by == f"officer:{officer.user_id}"
    with batch.file.open("rb") as stored:
        assert stored.read() == GOOD.read_bytes()
    page = client.get(response["Location"])
    assert "Your file is stored and waits its turn" in page.content.decode()
    assert '<meta http-equiv="refresh" content="5">' in page.content.decode()
    fragment = client.get(f"/police/batches/{batch.pk}/progress/")
    assert 'hx-trigger="every 2s"' in fragment.content.decode()
    assert "HX-Refresh" not in fragment


@pytest.mark.parametrize(
    ("content", "refusal", "rows"), [(GOOD.read_bytes(), "", 300), (b"name,colour\r\nJo,red\r\n", "The first row", 0)]
)
def test_who_uploaded_a_file_is_mailed_its_receipt_or_why_it_was_refused(
    client: Client, officer: Officer, content: bytes, refusal: str, rows: int
) -> None:
    officer.user.email = "sergeant@example.org"
    officer.user.save()
    client.post("/police/upload/", {"kind": "referrals", "file": SimpleUploadedFile("offers.csv", content)})
    assert not Message.objects.exists()
    services.import_next_batch(by=JOB, now=NOW)
    told = Message.objects.get(kind="batch_receipt")
    assert (told.to, told.context["file_name"], told.context["rows"]) == ("sergeant@example.org", "offers.csv", rows)
    assert told.context["refusal"].startswith(refusal)
    assert bool(told.context["refusal"]) == bool(refusal)
    assert told.context["path"] == f"/police/batches/{Batch.objects.get().pk}/"


def test_settled_batch_stops_asking_and_shows_its_receipt(client: Client, officer: Officer) -> None:
    batch = import_bytes(GOOD.read_bytes())
    page = client.get(f"/police/batches/{batch.pk}/").content.decode()
    fragment = client.get(f"/police/batches/{batch.pk}/progress/")

    assert "http-equiv" not in page
    assert batch.sha256 in page
    assert fragment["HX-Refresh"] == "true"
    assert "hx-get" not in fragment.content.decode()


def test_running_batch_tells_rows_and_time_left(client: Client, officer: Officer) -> None:
    batch = receive(GOOD.read_bytes())
    Batch.objects.update(
        status=BatchStatus.RUNNING,
        status_at=NOW - dt.timedelta(seconds=10),
        rows=1000,
        rows_read=2500,
        rows_checked=2000,
        rows_expected=3000,
        claimed_until=NOW + dt.timedelta(minutes=1),
    )
    page = " ".join(client.get(f"/police/batches/{batch.pk}/").content.decode().split())
    assert "2,500 rows read, 2,000 checked, 1,000 of 3,000 settled." in page
    assert '<progress id="progress-bar" class="portal-progress" max="100" value="33">33%</progress>' in page
    assert "About 20 seconds left." in page


PROGRESS_SECONDS = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("state", "words", "asks_again"),
    [
        ({"claimed_until": NOW + PROGRESS_SECONDS, "attempts": 1}, "Working on your file", True),
        ({"claimed_until": NOW - PROGRESS_SECONDS, "attempts": 1}, "The work on your file was interrupted", True),
        ({"claimed_until": None, "attempts": 0}, "Your file is stored and waits its turn", True),
        (
            {"claimed_until": NOW - PROGRESS_SECONDS, "attempts": 20, "rows": 100, "rows_expected": 300},
            "We could not finish this file",
            False,
        ),
    ],
)
def test_page_says_what_happens_whatever_became_of_the_worker(
    client: Client, officer: Officer, state: dict[str, Any], words: str, asks_again: bool
) -> None:
    batch = receive(GOOD.read_bytes())
    Batch.objects.update(status=BatchStatus.RUNNING if state["attempts"] else BatchStatus.RECEIVED, **state)
    for address in ("", "progress/"):
        response = client.get(f"/police/batches/{batch.pk}/{address}")
        page = " ".join(response.content.decode().split())
        assert words in page
        assert ("hx-get" in page) is asks_again
        assert "HX-Refresh" not in response
    assert ("100 of 300 rows are settled and stand." in page) is not asks_again


def test_waiting_file_tells_how_many_are_before_it(client: Client, officer: Officer) -> None:
    for n in range(3):
        last = receive(as_csv(many(1, start=n)), now=NOW + n * PROGRESS_SECONDS, force="42" if n == 1 else "46")
    page = client.get(f"/police/batches/{last.pk}/").content.decode()
    assert "2 files are done before it." in page


def test_pace_of_an_earlier_worker_is_not_taken_for_this_ones(client: Client, officer: Officer) -> None:
    batch = receive(GOOD.read_bytes())
    claimed = {"status": BatchStatus.RUNNING, "status_at": NOW, "claimed_until": NOW + PROGRESS_SECONDS}
    Batch.objects.update(**claimed, attempts=2, rows=200, rows_read=200, rows_expected=300)
    page = client.get(f"/police/batches/{batch.pk}/").content.decode()
    assert "200 of 300 settled." in page
    assert "seconds left" not in page


def test_rows_of_a_group_tell_each_its_own_matter(client: Client, officer: Officer) -> None:
    """The dates of one person's bar are not another's."""
    rows = many(3)
    for row, day in zip(rows, ("01", "01", "02"), strict=True):
        row["offence_at"] = f"2026-03-{day}T10:00"
    batch = import_bytes(as_csv(rows))
    response = client.get(f"/police/batches/{batch.pk}/")
    (group,) = response.context["rejected"]
    assert (group.code, group.message, group.count) == ("time_barred", "", 3)
    days = ["1 March 2026", "1 March 2026", "2 March 2026"]
    assert [row.message for row in group.rows] == [
        f"6 months have passed since the offence of {day}: no course can be offered." for day in days
    ]
    page = response.content.decode()
    assert page.count("offence of 1 March 2026") == 2
    assert page.count("offence of 2 March 2026") == 1


def test_same_file_again_leads_to_the_first_receipt(client: Client, officer: Officer) -> None:
    batch = import_bytes(GOOD.read_bytes())
    file = SimpleUploadedFile("again.csv", GOOD.read_bytes())
    response = client.post("/police/upload/", {"kind": "referrals", "file": file}, follow=True)

    assert response.redirect_chain == [(f"/police/batches/{batch.pk}/", 302)]
    assert "This file came before, at midday on Friday 20 November 2026." in response.content.decode()
    assert Batch.objects.count() == 1


def test_upload_without_a_file_says_so(client: Client, officer: Officer) -> None:
    response = client.post("/police/upload/", {"kind": "referrals"})
    assert response.status_code == 422
    assert "Select a file" in response.content.decode()
    assert Batch.objects.count() == 0


def test_upload_that_does_not_say_what_it_is_asks_for_the_file_again(client: Client, officer: Officer) -> None:
    file = SimpleUploadedFile("batch.csv", GOOD.read_bytes())
    response = client.post("/police/upload/", {"file": file})
    assert response.status_code == 422
    assert response.context["form"].errors == {
        "kind": ["Select what the file holds"],
        "file": ["Select the file again"],
    }
    assert Batch.objects.count() == 0


def test_upload_too_large_is_refused_and_leaves_nothing(client: Client, officer: Officer, settings: Any) -> None:
    settings.BATCH_MAX_BYTES = 1000
    file = SimpleUploadedFile("large.csv", b"x" * 1001)
    response = client.post("/police/upload/", {"kind": "referrals", "file": file})
    assert response.status_code == 413
    assert "The file is larger than 0 MB. Send it in parts." in response.content.decode()
    assert Batch.objects.count() == 0


def test_receipt_shows_errors_first_grouped_with_row_and_value(client: Client, officer: Officer) -> None:
    batch = import_bytes(UGLY.read_bytes())
    response = client.get(f"/police/batches/{batch.pk}/")
    page = " ".join(response.content.decode().split())

    assert page.index("12 rows were rejected") < page.index("1 row needs a decision") < page.index("Receipt</h2>")
    groups = {(group.code, group.column): group for group in response.context["rejected"]}
    assert groups[("invalid_date", "date_of_birth")].count == 2
    assert [(row.number, row.value) for row in groups[("invalid_date", "date_of_birth")].rows] == [
        (6, "31/02/1980"),
        (21, "1980-13-01"),
    ]
    assert "date_of_birth: 2 rows </h3>" in page
    assert "invalid_date" not in page
    assert "31/02/1980" in page


def test_rejected_csv_can_be_downloaded_and_that_is_on_record(client: Client, officer: Officer) -> None:
    batch = import_bytes(UGLY.read_bytes())
    response = client.get(f"/police/batches/{batch.pk}/rejected.csv")

    assert response["Content-Disposition"] == 'attachment; filename="rejected.csv"'
    lines = b"".join(response).decode("utf-8-sig").splitlines()  # type: ignore[call-overload]
    assert len(lines) == 13
    assert lines[0].startswith('"errors","force_code","reference"')
    assert AccessLog.objects.get().action == "batch.rejected_rows_read"


def test_rows_can_be_read_by_state_and_page(client: Client, officer: Officer) -> None:
    batch = import_bytes(GOOD.read_bytes())
    first = client.get(f"/police/batches/{batch.pk}/rows/?state=new")
    assert [row.number for row in first.context["rows"]] == list(range(2, 52))
    assert first.context["following"] == "?state=new&after=51"
    last = client.get(f"/police/batches/{batch.pk}/rows/?state=new&after=251")
    assert [row.number for row in last.context["rows"]] == list(range(252, 302))
    assert last.context["following"] == ""
    assert client.get(f"/police/batches/{batch.pk}/rows/?state=none").status_code == 404


def test_rows_with_warnings_can_be_read_by_themselves(client: Client, officer: Officer) -> None:
    batch = import_bytes(UGLY.read_bytes())
    page = client.get(f"/police/batches/{batch.pk}/rows/?state=warned")
    assert [row.number for row in page.context["rows"]] == [3, 5, 11, 13, 14, 16, 23, 24]
    assert "Rejected (12)" in page.content.decode()


def test_reading_a_receipt_and_its_rows_is_on_record(client: Client, officer: Officer) -> None:
    waiting = receive(GOOD.read_bytes())
    client.get(f"/police/batches/{waiting.pk}/")
    client.get(f"/police/batches/{waiting.pk}/progress/")
    assert not AccessLog.objects.exists()
    batch = import_bytes(UGLY.read_bytes())
    client.get(f"/police/batches/{batch.pk}/")
    client.get(f"/police/batches/{batch.pk}/rows/?state=rejected")
    me = f"officer:{officer.user_id}"
    assert list(AccessLog.objects.order_by("id").values_list("action", "subject", "actor", "allowed")) == [
        ("batch.opened", f"batch:{batch.pk}", me, True),
        ("batch.rows_read", f"batch:{batch.pk}", me, True),
    ]


def test_receipt_names_who_sent_the_file(client: Client, officer: Officer) -> None:
    batch = import_bytes(GOOD.read_bytes())
    Batch.objects.filter(pk=batch.pk).update(received_by=f"officer:{officer.user_id}")
    User.objects.filter(pk=officer.user_id).update(first_name="Sam", last_name="Hill")
    assert client.get(f"/police/batches/{batch.pk}/").context["sender"] == "Sam Hill"
    Batch.objects.filter(pk=batch.pk).update(received_by="api:46")
    assert client.get(f"/police/batches/{batch.pk}/").context["sender"] == "the force's system (API)"


def test_returns_say_which_the_force_has_acknowledged(client: Client, officer: Officer) -> None:
    for _ in range(2):
        factories.outcome(factories.CompletedReferralFactory.create(now=NOW), now=NOW)
        services.write_outcome_return(force=officer.force, by=OFFICER, now=NOW)
    services.acknowledge(force=officer.force, up_to=1, by=OFFICER, now=NOW)
    cells = re.findall(r"Acknowledged:</span>\s*(Yes|No)\s", client.get("/police/returns/").content.decode())
    assert cells == ["No", "Yes"]


def test_referral_page_tells_the_whole_story_and_is_on_record(client: Client, officer: Officer) -> None:
    import_bytes(GOOD.read_bytes())
    held = Referral.objects.get(reference="46KD00000126")
    response = client.get("/police/referrals/46KD00000126/")
    page = response.content.decode()

    assert "Received in batch.csv, row 2" in page
    assert "Ó&#x27;Brien" in page
    assert "OBRIE607035PT9XB" not in page
    entry = AccessLog.objects.get(action="referral.opened")
    assert (entry.referral_key, entry.subject, entry.actor, entry.address, entry.allowed) == (
        "46/46KD00000126",
        f"referral:{held.pk}",
        f"officer:{officer.user_id}",
        "127.0.0.1",
        True,
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("46kd00000126", ["46KD00000126"]),
        ("OBRIE607035PT9XB", ["46KD00000126"]),
        ("obrie607035pt9xb 12", ["46KD00000126"]),
        ("nothing like it", []),
    ],
)
def test_search_finds(client: Client, officer: Officer, words: str, found: list[str]) -> None:
    import_bytes(GOOD.read_bytes())
    response = client.get("/police/referrals/", {"q": words})
    if found:
        assert response["Location"] == f"/police/referrals/{found[0]}/"
    else:
        assert response.context["found"] == []


def test_search_by_surname_start_postcode_and_registration(client: Client, officer: Officer) -> None:
    one = factories.LiveReferralFactory(now=NOW, surname="O'Neil", postcode="TN23 3UT", vehicle_registration="AB12CDE")
    two = factories.LiveReferralFactory(
        now=NOW, surname="O'Neill", postcode="TN23 3UT", vehicle_registration="AB12CDF"
    )
    factories.LiveReferralFactory(now=NOW, surname="O'Neil", postcode="TN23 3UT", force="42")

    for words in ("o'neil", "tn233ut"):
        assert client.get("/police/referrals/", {"q": words}).context["found"] == [one, two]
    response = client.get("/police/referrals/", {"q": "ab12 cdf"})
    assert response["Location"] == f"/police/referrals/{two.reference}/"


@pytest.mark.parametrize(
    "words",
    [
        " 46test000001 ",
        "46TE ST00 0001",
        "ONEIL 801150 ja9xx",
        "oneil801150ja9xx 12",
        "tn23  3ut",
        "Ab12cDe",
        "o’neil",
        "O'NEIL",
        "o`neil",
    ],
)
@pytest.mark.parametrize("surname", ["O'Neil", "O’Neil"])
def test_case_spaces_and_kinds_of_apostrophe_do_not_count(
    client: Client, officer: Officer, words: str, surname: str
) -> None:
    held = factories.LiveReferralFactory(
        now=NOW,
        reference="46TEST000001",
        surname=surname,
        postcode="TN23 3UT",
        vehicle_registration="AB12CDE",
        driver_number="ONEIL801150JA9XX",
    )
    response = client.get("/police/referrals/", {"q": words})
    assert response["Location"] == f"/police/referrals/{held.reference}/"


def test_search_finds_driver_numbers_of_other_countries(client: Client, officer: Officer) -> None:
    held = factories.LiveReferralFactory(now=NOW, driver_number="AB-1234 X/7", licence_type="EU")
    response = client.get("/police/referrals/", {"q": "ab1234x/7"})
    assert response["Location"] == f"/police/referrals/{held.reference}/"


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("live", ["SOON", "LATER", "LAST"]),
        ("booked", ["BOOKED"]),
        ("not-completed", ["FAILED"]),
        ("within-7-days", ["SOON"]),
        ("within-14-days", ["SOON", "FAILED", "LATER"]),
    ],
)
def test_figures_lead_to_the_offers_they_count(
    client: Client, officer: Officer, which: str, expected: list[str]
) -> None:
    today = NOW.date()
    for name, factory, days in (
        ("LAST", factories.LiveReferralFactory, 15),
        ("LATER", factories.LiveReferralFactory, 14),
        ("FAILED", factories.NotCompletedReferralFactory, 10),
        ("SOON", factories.LiveReferralFactory, 7),
        ("BOOKED", factories.BookedReferralFactory, 3),
        ("ENDED", factories.CompletedReferralFactory, 3),
    ):
        factory(now=NOW, reference=f"46{name}01", complete_by=today + dt.timedelta(days=days))
    factories.LiveReferralFactory(now=NOW, force="42", complete_by=today)
    overview = client.get("/police/")
    (figure,) = [each for each in overview.context["figures"].open if each.which == which]
    address = f"/police/referrals/open/?list={which}"
    assert address in overview.content.decode()
    page = client.get(address)
    assert [each.reference for each in page.context["page"]] == [f"46{name}01" for name in expected]
    assert figure.count == len(expected)
    log = AccessLog.objects.values_list("action", "subject").get()
    assert log == ("referrals.listed", f"{which}:{len(expected)}")
    assert client.get("/police/referrals/open/?list=other").status_code == 404


def test_list_of_offers_goes_on_over_pages(client: Client, officer: Officer) -> None:
    for _ in range(51):
        factories.LiveReferralFactory(now=NOW)
    page = client.get("/police/referrals/open/?list=live")
    assert "?list=live&amp;page=2" in page.content.decode()
    assert len(client.get("/police/referrals/open/?list=live&page=2").context["page"]) == 1


def test_rows_lead_to_their_referrals_and_tell_what_stands_there(client: Client, officer: Officer) -> None:
    batch = import_bytes(UGLY.read_bytes())
    page = " ".join(client.get(f"/police/batches/{batch.pk}/rows/").content.decode().split())
    assert 'href="/police/referrals/46UG00000126/">46UG00000126</a>' in page
    for number, reference in ((6, "46UG00000526"), (7, "46UG00000626")):
        row = BatchRow.objects.get(batch=batch, number=number)
        assert row.reference == reference
        assert f"/police/referrals/{reference}/" not in page
    assert 'What stands there: <span class="portal-code">31/02/1980</span>' in page


def test_withdrawing_asks_once_more_and_then_acts(client: Client, officer: Officer) -> None:
    held = factories.LiveReferralFactory(now=NOW)
    address = f"/police/referrals/{held.reference}/withdraw/"
    asked = client.post(address, {"reason": "COURT", "note": "Case 12"})
    assert asked.status_code == 200
    assert "Withdraw this offer for good?" in asked.content.decode()
    held.refresh_from_db()
    assert held.status == ReferralStatus.LIVE

    done = client.post(address, {"reason": "COURT", "note": "Case 12", "confirmed": "yes"})
    assert done["Location"] == f"/police/referrals/{held.reference}/"
    held.refresh_from_db()
    assert (held.status, held.status_by) == (ReferralStatus.WITHDRAWN, f"officer:{officer.user_id}")
    assert held.withdrawal.reason == WithdrawalReason.COURT
    assert held.withdrawal.received_at == held.withdrawal.acted_at == NOW


def test_withdrawing_what_is_completed_is_refused(client: Client, officer: Officer) -> None:
    held = factories.CompletedReferralFactory(now=NOW)
    response = client.post(f"/police/referrals/{held.reference}/withdraw/", {"reason": "COURT", "confirmed": "yes"})
    assert response.status_code == 409
    assert "the referral is now “completed”" in response.content.decode()
    held.refresh_from_db()
    assert held.status == ReferralStatus.COMPLETED


def test_extending_asks_once_more_and_then_acts(client: Client, officer: Officer) -> None:
    held = factories.LiveReferralFactory(now=NOW)
    later = held.complete_by + dt.timedelta(days=20)
    sent = {
        "complete_by_day": later.day,
        "complete_by_month": later.month,
        "complete_by_year": later.year,
        "evidence": "Letter 7 of 19 November",
    }
    address = f"/police/referrals/{held.reference}/extend/"
    assert "Extend this offer?" in client.post(address, sent).content.decode()
    client.post(address, sent | {"confirmed": "yes"})
    held.refresh_from_db()
    assert held.complete_by == later
    event = AuditEvent.objects.get(action="referral.extended")
    assert (event.referral_key, event.reason) == (held.key, "Letter 7 of 19 November")


def test_note_is_added_to_the_story(client: Client, officer: Officer) -> None:
    held = factories.LiveReferralFactory(now=NOW)
    client.post(f"/police/referrals/{held.reference}/note/", {"note": "Rang on Monday"})
    assert AuditEvent.objects.get().words == "Note: Rang on Monday"
    empty = client.post(f"/police/referrals/{held.reference}/note/", {"note": " "})
    assert empty.status_code == 422
    assert AuditEvent.objects.count() == 1


def test_decision_on_a_quarantined_row(client: Client, officer: Officer) -> None:
    batch = import_bytes(UGLY.read_bytes())
    row = BatchRow.objects.get(batch=batch, state=RowState.QUARANTINED)
    listed = client.get("/police/decisions/")
    assert [each.pk for each in listed.context["page"].object_list] == [row.pk]
    page = client.get(f"/police/decisions/{row.pk}/").content.decode()
    assert "345041" not in page  # its PIN

    refused = client.post(f"/police/decisions/{row.pk}/", {"decision": "accepted", "reason": "Ours"})
    assert refused.status_code == 422
    assert "Only KCC staff can accept a row of another force" in refused.content.decode()
    done = client.post(f"/police/decisions/{row.pk}/", {"decision": "refused", "reason": "Sent to Essex"})
    assert done["Location"] == "/police/decisions/"
    row.refresh_from_db()
    assert (row.decision, row.decision_reason, row.decided_by) == (
        "refused",
        "Sent to Essex",
        f"officer:{officer.user_id}",
    )


def test_receipt_asks_for_no_decision_that_was_made(client: Client, officer: Officer) -> None:
    batch = import_bytes(as_csv([row | {"force_code": "42"} for row in many(2)]))
    address = f"/police/batches/{batch.pk}/"
    for row, words in zip(
        BatchRow.objects.filter(batch=batch), ("1 row needs", "Nothing waits for a decision any more."), strict=True
    ):
        services.refuse_row(row_id=row.pk, reason="Theirs", by=OFFICER, now=NOW)
        page = " ".join(client.get(address).content.decode().split())
        assert words in page
    assert "Decide on them" not in page
    assert "0 rejected, 2 quarantined." in page
    told = client.get(f"{address}rows/?state=quarantined").content.decode()
    assert told.count("Refused: Theirs") == 2


def test_row_of_another_force_can_only_be_refused_by_an_officer(client: Client, officer: Officer) -> None:
    batch = import_bytes(as_csv([row | {"force_code": "42"} for row in many(1)]))
    row = BatchRow.objects.get(batch=batch)
    address = f"/police/decisions/{row.pk}/"
    page = client.get(address).content.decode()
    assert "Only KCC staff can accept a row of another force" in page
    assert "Accept the row" not in page
    refused = client.post(address, {"decision": "accepted", "reason": "It is ours"})
    assert refused.status_code == 422
    row.refresh_from_db()
    assert (row.decision, Referral.objects.count()) == ("", 0)
    client.post(address, {"decision": "refused", "reason": "It is theirs"})
    row.refresh_from_db()
    assert row.decision == "refused"


def test_return_is_written_and_downloaded_as_it_was(client: Client, officer: Officer) -> None:
    factories.outcome(factories.CompletedReferralFactory(now=NOW, reference="46DONE01"), now=NOW)
    assert client.get("/police/returns/").context["due"] == 1
    client.post("/police/returns/")
    record = services.write_outcome_return(force=Force.objects.get(pk="46"), by=OFFICER, now=NOW)
    assert record is None

    page = client.get("/police/returns/")
    (written,) = page.context["page"].object_list
    assert page.context["due"] == 0
    content = client.get(f"/police/returns/{written.pk}/outcomes.csv").content
    assert content.decode() == (
        "sequence,force_code,reference,outcome,reason,course_code,attended_on,provider_reference,recorded_at\r\n"
        "1,46,46DONE01,COMPLETED,,NSAC,,,2026-11-20T12:00:00Z\r\n"
    )
    manifest = client.get(f"/police/returns/{written.pk}/manifest.json").json()
    assert manifest["sha256"] == written.sha256
    assert (manifest["rows"], manifest["first_sequence"], manifest["last_sequence"]) == (1, 1, 1)


def test_s19_another_forces_anything_is_404_and_in_the_access_log(client: Client, officer: Officer) -> None:
    essex = Force.objects.get(pk="42")
    batch = import_bytes(as_csv(many(1, force="42")), force="42")
    held = Referral.objects.get()
    quarantined = import_bytes(as_csv(many(1, start=5)), force="42")
    row = BatchRow.objects.get(batch=quarantined)
    factories.outcome(held, now=NOW)
    written = services.write_outcome_return(force=essex, by=OFFICER, now=NOW)
    assert written is not None
    addresses = [
        f"/police/batches/{batch.pk}/",
        f"/police/batches/{batch.pk}/progress/",
        f"/police/batches/{batch.pk}/rows/",
        f"/police/batches/{batch.pk}/rejected.csv",
        f"/police/decisions/{row.pk}/",
        f"/police/referrals/{held.reference}/",
        f"/police/referrals/{held.reference}/withdraw/",
        f"/police/referrals/{held.reference}/extend/",
        f"/police/referrals/{held.reference}/course/",
        f"/police/returns/{written.record.pk}/outcomes.csv",
        f"/police/returns/{written.record.pk}/manifest.json",
    ]
    for address in addresses:
        assert client.get(address).status_code == 404, address
    posted = [f"/police/referrals/{held.reference}/{act}/" for act in ("withdraw", "extend", "note")]
    for address in [*posted, f"/police/decisions/{row.pk}/"]:
        sent = {"reason": "COURT", "confirmed": "yes", "note": "x", "decision": "refused"}
        assert client.post(address, sent).status_code == 404, address

    log = AccessLog.objects.order_by("id").values_list("action", "subject", "allowed", "actor")
    me = f"officer:{officer.user_id}"
    expected = [("police.not_found", address, False, me) for address in addresses]
    expected += [("police.not_found", address, False, me) for address in posted]
    expected.append(("police.not_found", f"/police/decisions/{row.pk}/", False, me))
    assert list(log) == expected
    held.refresh_from_db()
    assert held.status == ReferralStatus.LIVE


def test_every_address_with_an_id_is_in_the_test_above() -> None:
    from referrals.urls import urlpatterns

    with_ids = {pattern.name for pattern in urlpatterns if "<" in str(pattern.pattern)}
    assert with_ids == {
        "batch",
        "batch_progress",
        "batch_rows",
        "rejected",
        "decide",
        "withdraw",
        "course",
        "extend",
        "note",
        "referral",
        "return_file",
        "return_manifest",
    }


def test_unknown_ids_are_404(client: Client, officer: Officer) -> None:
    assert client.get(f"/police/batches/{uuid.uuid4()}/").status_code == 404
    assert client.get("/police/referrals/46NOSUCH01/").status_code == 404


QUERIES = {
    "dashboard": 8,
    "batches": 4,
    "batch": 6,
    "batch_rows": 5,
    "decisions": 4,
    "search": 4,
    "returns": 7,
    "to_decide": 4,
    "open_offers": 5,
    "forecasts": 3,
}


@pytest.mark.parametrize("count", [1, 30])
def test_query_counts_are_the_same_for_one_row_and_for_thirty(client: Client, officer: Officer, count: int) -> None:
    factories.CompletedReferralFactory(now=NOW, surname="Sameness")  # a single one found would be opened at once
    for _ in range(count):
        factories.outcome(factories.CompletedReferralFactory(now=NOW, surname="Sameness"), now=NOW)
        services.write_outcome_return(force=Force.objects.get(pk="46"), by=OFFICER, now=NOW)
        factories.NotCompletedReferralFactory(now=NOW)
    for n in range(count):
        import_bytes(as_csv([row | {"force_code": "42"} for row in many(count, start=1000 + 100 * n)]))
    batch = Batch.objects.order_by("received_at").first()
    assert batch is not None
    client.get("/police/")
    measured = {}
    for name in QUERIES:
        address = reverse(f"police:{name}", args=[batch.pk] if name in ("batch", "batch_rows") else [])
        with CaptureQueriesContext(connection) as queries:
            asked = {"search": {"q": "Samen"}, "open_offers": {"list": "not-completed"}}.get(name, {})
            assert client.get(address, asked).status_code == 200
        measured[name] = len(queries)
    assert measured == QUERIES


def test_referral_page_asks_no_more_than_it_needs(
    client: Client, officer: Officer, django_assert_num_queries: Any
) -> None:
    held = factories.WithdrawnReferralFactory(now=NOW)
    for _ in range(3):
        factories.outcome(held, now=NOW)
    client.get("/police/")
    with django_assert_num_queries(8):
        client.get(f"/police/referrals/{held.reference}/")


def test_outcome_of_the_story_is_told(client: Client, officer: Officer) -> None:
    held = factories.CompletedReferralFactory(now=NOW)
    factories.outcome(held, now=NOW)
    page = " ".join(client.get(f"/police/referrals/{held.reference}/").content.decode().split())
    assert "Sequence 1: Completed, recorded midday on Friday 20 November 2026, not yet sent" in page
    assert Outcome.objects.get().returned_at is None
