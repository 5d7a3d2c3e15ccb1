"""The thread through the house, with every program running: from a file of the police to the outcome they get back."""

import datetime as dt
import json
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.db.models import Sum

from accounts.models import User
from audit.models import AuditEvent
from audit.sealing import seal
from bookings.constants import BookingStatus
from bookings.models import Booking
from common import clock
from courses.models import Session, SessionTrainer
from devtools import processes
from notifications.models import Message
from payments.models import Journal, Posting
from referrals.models import Outcome, Referral
from tests.support.people import (
    RECEIPT,
    Candidate,
    Colleague,
    offer_row,
    offers_csv,
    officer,
    session_in,
    trainer,
)
from tests.support.programs import Program, Web

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Sandbox
    from tests.support.mail import SmtpSink

REFERENCE = "46THREAD0001"
NAME = "Zoë O'Neil 001"
EMAIL = "zoe@example.org"


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
    assert processes.wait_until(condition, seconds=seconds, pause=0.1), f"waited {seconds} s for {what}"


def test_from_the_forces_file_to_the_outcome_it_gets_back(
    live_web: Web, celery_worker_process: Program, stripe_sandbox: "Sandbox", smtp_sink: "SmtpSink"
) -> None:
    session = session_in(days=1.5)
    sergeant = Colleague(live_web.url, officer())
    tutor = Colleague(live_web.url, trainer(session))

    _police_send_their_file(sergeant)
    booking = _candidate_books(Candidate(live_web.url, REFERENCE), session, stripe_sandbox)
    _mail_with_the_calendar_came(smtp_sink, booking)
    _trainer_sees_and_marks(tutor, session, booking)

    outcome = Outcome.objects.get()
    assert (outcome.sequence, outcome.referral.key, outcome.outcome) == (1, f"46/{REFERENCE}", "COMPLETED")
    assert "Completed" in sergeant.get(f"/police/referrals/{REFERENCE}/").words
    _money_adds_up()
    _record_tells_the_story()
    wait_for(lambda: not Message.objects.exclude(status="SENT").exists(), "the outcome to be told")
    subjects = [message["Subject"] for message in smtp_sink.messages if EMAIL in message["To"]]
    assert subjects == [
        f"Your driver course is booked: {booking.reference}",
        f"How your driver course went: {booking.reference}",
    ]


def _police_send_their_file(sergeant: Colleague) -> None:
    """One good row, its twin, and one that is wrong in two columns."""
    good = offer_row(REFERENCE, surname="O'Neil 001", email=EMAIL)
    bad = offer_row("46THREAD0002", date_of_birth="31/02/1980", course_code="TANGO")
    assert sergeant.sign_in("/police/").status == 200
    page = sergeant.send_file(offers_csv([good, good, bad]))
    assert page.path.startswith("/police/batches/")

    def is_settled() -> bool:
        return RECEIPT in sergeant.get(page.path).words

    wait_for(is_settled, "the batch to be settled")
    words = sergeant.get(page.path).words
    assert "Rows 3 New 1 Unchanged 1 Changed 0 Rejected 1" in words
    rejected = sergeant.follow("Download rejected.csv")
    assert rejected.headers["content-type"].startswith("text/csv")
    assert "31/02/1980" in rejected.body.decode("utf-8-sig")
    assert Referral.objects.get().key == f"46/{REFERENCE}"


def _candidate_books(zoe: Candidate, session: Session, sandbox: "Sandbox") -> Booking:
    wrong = Candidate(zoe.origin, REFERENCE, pin="424243")
    assert "There is a problem" in wrong.sign_in().words
    assert zoe.sign_in().heading == "Kent Police offer you a course"
    assert zoe.follow("Choose a date").heading == "Do you need anything from us to take part?"
    assert zoe.press("Continue", needs="NOTHING").heading == "Choose a date"
    page = zoe.choose(session)
    assert page.heading == "How can we reach you?"
    assert "We are holding your place for 14 minutes" in page.words
    assert zoe.answer(email=EMAIL).heading == "Check your answers, then pay"
    assert zoe.click_pay().startswith(sandbox.url)
    paid = zoe.pay(sandbox)
    assert paid.outcome == "paid"

    def is_confirmed() -> bool:
        return Booking.objects.get().status == BookingStatus.CONFIRMED

    wait_for(is_confirmed, "the webhook to confirm the booking")
    booking = Booking.objects.get()
    page = zoe.come_back(paid)
    assert (page.path, page.heading) == ("/booking/?booked", "Your course is booked")
    assert booking.reference in page.words
    assert booking.status_by == "job:apply_stripe_events"
    return booking


def _mail_with_the_calendar_came(smtp_sink: "SmtpSink", booking: Booking) -> None:
    def came() -> bool:
        return any(EMAIL in message["To"] for message in smtp_sink.messages)

    wait_for(came, "the confirmation")
    (mail,) = [message for message in smtp_sink.messages if EMAIL in message["To"]]
    (calendar,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert booking.reference in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "BEGIN:VEVENT" in calendar.get_content()


def _trainer_sees_and_marks(tutor: Colleague, session: Session, booking: Booking) -> None:
    assert tutor.sign_in("/trainer/").heading == "My courses"
    assert NAME in tutor.get(f"/trainer/sessions/{session.pk}/").words
    stranger = Colleague(tutor.origin, trainer(session_in(days=2), username="stranger"))
    stranger.sign_in("/trainer/")
    assert stranger.get(f"/trainer/sessions/{session.pk}/").status == 404
    _let_it_be_over(session)
    tutor.get(f"/trainer/sessions/{session.pk}/")
    tutor.follow(f"Mark {NAME}")
    page = tutor.press("Save the mark", mark="COMPLETED", document_kind="PHOTOCARD")
    assert f"{NAME} is marked." in page.words
    tutor.follow("Close the register")
    page = tutor.press("Close the register")
    assert "The register is closed" in page.words
    booking.refresh_from_db()
    assert booking.status == BookingStatus.COMPLETED


def _let_it_be_over(session: Session) -> None:
    """The course's day has come and gone: it ended ten minutes ago."""
    ends_at = clock.now() - dt.timedelta(minutes=10)
    starts_at = ends_at - (session.ends_at - session.starts_at)
    Session.objects.filter(pk=session.pk).update(starts_at=starts_at, ends_at=ends_at)
    assert SessionTrainer.objects.get(session=session).ends_at == ends_at


def _money_adds_up() -> None:
    """Paid in advance, then earned: each part with whom it belongs to, nothing left in between."""
    journals = Journal.objects.order_by("pk").values_list("kind", "total_pence")
    assert list(journals) == [("PAID", 9200), ("COMPLETED", 9200)]
    sums = Posting.objects.values_list("account", "force_code").annotate(pence=Sum("amount_pence"))
    assert {(account, force): pence for account, force, pence in sums if pence} == {
        ("STRIPE_CLEARING", ""): 9200,
        ("POLICE_PAYABLE", "46"): -4500,
        ("LEVY_PAYABLE", ""): -300,
        ("COURSE_INCOME", ""): -4400,
    }


def _record_tells_the_story() -> None:
    events = AuditEvent.objects.filter(referral_key=f"46/{REFERENCE}").order_by("pk")
    tutor_id = User.objects.get(username="trainer").pk
    zoe, payments, tutor = f"candidate:46/{REFERENCE}", "job:apply_stripe_events", f"trainer:{tutor_id}"
    assert [(event.action, event.actor) for event in events] == [
        ("referral.received", "job:import_batches"),
        ("candidate.signed_in", zoe),
        ("booking.held", zoe),
        ("booking.consented", zoe),
        ("charge.opened", zoe),
        ("checkout.opened", zoe),
        ("charge.paid", payments),
        ("referral.booked", payments),
        ("booking.confirmed", payments),
        ("register.marked", tutor),
        ("booking.completed", tutor),
        ("referral.completed", tutor),
        ("outcome.recorded", tutor),
        ("charge.fell_due", tutor),
    ]
    assert seal(now=clock.now()) is not None
    said = StringIO()
    call_command("verify_audit", json=True, stdout=said)
    verdict = json.loads(said.getvalue())
    assert (verdict["ok"], verdict["problems"]) == (True, [])
