"""Every page and state of the thread: no WCAG 2.2 A or AA violation that axe finds, nothing that scrolls sideways."""

import datetime as dt
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from audit.context import Actor
from bookings import leave_links, pay_links
from bookings import services as bookings
from bookings.models import Booking, WaitingEntry
from common import clock
from courses.models import Place, Session, SessionTrainer
from notifications.models import Message
from payments import services as payments
from referrals import services as referrals
from referrals.models import Batch, Force, Officer, Referral
from tests.browser.looking import Looker
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.referrals.files import UGLY
from tests.support import days
from tests.support.people import PASSWORD, PIN, offer_row, offers_csv, officer, session_in, trainer
from tests.support.programs import Program, Web

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from devtools.stripe_sandbox.testing import Sandbox

REFERENCE = "46TEST0001X"
DAY = dt.timedelta(days=1)
JOB = Actor("job", "release_holds")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture
def offer(transactional_db: None) -> Referral:
    """Jo's offer, and what there is to choose from: one week and the next, digital and in classrooms, one full."""
    offer: Referral = r.LiveReferralFactory.create(now=clock.now(), reference=REFERENCE, email="jo@example.org")
    monday, tuesday, wednesday = (days.monday(weeks=2) + n * DAY for n in range(3))
    for starts_at in (days.at(monday), days.at(tuesday, 9), days.at(tuesday, 14), days.at(monday + 7 * DAY)):
        c.OpenSessionFactory.create(starts_at=starts_at)
    c.ClassroomSessionFactory.create(starts_at=days.at(tuesday, 18), capacity=12)
    c.TakenPlaceFactory.create(session=c.OpenSessionFactory.create(starts_at=days.at(wednesday), capacity=1))
    session_in(days=200)
    return offer


def press(page: "Page", button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def test_candidates_pages_before_paying(new_page: NewPage, live_web: Web, offer: Referral) -> None:
    page = new_page()
    looker = Looker(page, "candidate", live_web.url)
    for path, heading in (
        ("/", "Book your driver course"),
        ("/accessibility/", "Accessibility statement"),
        ("/privacy/", "Privacy notice"),
        ("/terms/", "Terms of booking"),
        ("/cookies/", "Cookies"),
        ("/nowhere/", "Page not found"),
        ("/timed-out/?next=/offer/", "You have been signed out"),
        ("/signed-out/", "You are signed out"),
        ("/sign-in/", "Sign in with your letter"),
    ):
        page.goto(path)
        looker.look(path.partition("?")[0].strip("/") or "start", heading)

    press(page, "Continue")
    looker.look("sign-in-empty", "Sign in with your letter")
    page.get_by_label("Reference").fill(REFERENCE)
    page.get_by_label("The PIN on my letter").check()
    page.get_by_label("PIN", exact=True).fill("000000")
    press(page, "Continue")
    looker.look("sign-in-wrong", "Sign in with your letter")
    page.get_by_label("My driving licence number").check()
    looker.look("sign-in-driver-number", "Sign in with your letter")
    for _ in range(5):
        page.get_by_label("Driving licence number", exact=True).fill("NOBODY")
        press(page, "Continue")
    looker.look("sign-in-too-often", "Wait before you try again")
    bookings.forget_old_tries(now=clock.now() + dt.timedelta(hours=1))

    sign_in(page)
    looker.look("offer", "Kent Police offer you a course")
    press(page, "Choose a date")
    looker.look("needs", "Do you need anything from us to take part?")
    press(page, "Continue")
    looker.look("needs-unanswered", "Do you need anything from us to take part?")
    page.get_by_label("To bring my own interpreter").check()
    page.get_by_label("A course in a classroom, because I have no internet").check()
    press(page, "Continue")
    looker.look("needs-no-language", "Do you need anything from us to take part?")
    page.get_by_label("Which language?").fill("Polish")
    press(page, "Continue")
    looker.look("dates-that-fit", "Choose a date")
    page.get_by_role("link", name="Change this").click()
    for need in reversed(page.get_by_role("checkbox", checked=True).all()):
        need.uncheck()
    page.get_by_label("No, I do not need anything").check()
    press(page, "Continue")
    looker.look("dates", "Choose a date")
    page.goto("/sessions/?how=CLASSROOM&when=morning")
    looker.look("dates-none-match", "Choose a date")
    page.goto("/sessions/")
    full = page.locator("button[name=session]").first
    gone = Session.objects.get(pk=full.get_attribute("value"))
    b.BookingFactory.create_batch(9, session=gone, now=clock.now())
    full.click()
    looker.look("dates-just-taken", "Choose a date")
    page.locator("button[name=session]").first.click()

    looker.look("details", "How can we reach you?")
    page.get_by_label("Email address").fill("jo@")
    page.get_by_label("Mobile number").fill("12")
    press(page, "Continue")
    looker.look("details-wrong", "How can we reach you?")
    page.get_by_label("Email address").fill("jo@example.org")
    page.get_by_label("Mobile number").fill("")
    press(page, "Continue")
    looker.look("consents", "What you agree to")
    press(page, "Agree and continue")
    looker.look("consents-missing", "What you agree to")
    for box in page.get_by_role("checkbox").all():
        box.check()
    press(page, "Agree and continue")
    looker.look("check", "Check your answers, then pay")
    page.goto("/sessions/")
    looker.look("dates-while-holding", "Choose a date")
    page.goto("/offer/")
    looker.look("offer-while-holding", "Kent Police offer you a course")

    place = Place.objects.get(holder=offer.key)
    Place.objects.filter(pk=place.pk).update(held_until=clock.now() + dt.timedelta(minutes=3))
    page.goto("/booking/check/")
    looker.look("hold-ends-soon", "Check your answers, then pay")
    Booking.objects.filter(place=place).update(extensions=2)
    page.reload()
    looker.look("hold-cannot-be-extended", "Check your answers, then pay")
    page.evaluate("document.getElementById('idle-warning').hidden = false")
    looker.look("idle-warning")
    Place.objects.filter(pk=place.pk).update(held_until=clock.now())
    page.goto("/booking/check/")
    looker.look("hold-ended", "Your place is no longer held")

    Session.objects.update(status="CANCELLED", cancel_reason="None left")
    page.goto("/sessions/")
    looker.look("dates-none-at-all", "Choose a date")
    assert looker.faults == []


def sign_in(page: "Page") -> None:
    page.goto("/sign-in/")
    page.get_by_label("Reference").fill(REFERENCE)
    page.get_by_label("The PIN on my letter").check()
    page.get_by_label("PIN", exact=True).fill(PIN)
    press(page, "Continue")


def test_candidates_pages_after_paying(
    new_page: NewPage, live_web: Web, offer: Referral, stripe_sandbox: "Sandbox"
) -> None:
    page = new_page()
    looker = Looker(page, "candidate-paid", live_web.url)
    booking = ready_to_pay(offer)
    sign_in(page)
    stripe_sandbox.control("webhooks", drop=True)
    press(page, "Continue to payment")
    checkout = page.url
    page.goto("/booking/return/")
    looker.look("not-charged", "Check your answers, then pay")
    back = stripe_sandbox.pay(checkout).url
    stripe_sandbox.control("api", error_next=100)
    page.goto(back)
    looker.look("confirming", "We have your payment and are confirming your place")
    stripe_sandbox.control("api", error_next=0)
    page.goto(back)
    looker.look("booked", "Your course is booked")
    page.goto("/booking/")
    looker.look("booking", "Your booking")
    page.get_by_role("link", name="See the receipt, to print or keep").click()
    looker.look("receipt", "Receipt")
    page.goto("/booking/contact/")
    looker.look("contact", "Change how we reach you")
    page.get_by_label("Email address").fill("new@example.org")
    press(page, "Save")
    looker.look("contact-changed", "Your booking")
    page.get_by_role("link", name="See everything we have sent you").click()
    looker.look("messages", "What we have sent you")
    Message.objects.update(
        status="SENT", sent_at=clock.now(), subject="Your course", body="See https://x.example.org/"
    )
    page.reload()
    page.get_by_role("link", name="Read").first.click()
    looker.look("message")
    page.goto("/offer/")
    looker.look("offer-booked", "Kent Police offer you a course")
    page.goto("/booking/cancel/")
    looker.look("cancel", "Cancel your course")
    press(page, "Continue")
    looker.look("cancel-unanswered", "Cancel your course")
    page.get_by_label("Yes, cancel my course").check()
    press(page, "Continue")
    looker.look("cancelled", "Your booking")

    booking = ready_to_pay(offer)
    page.goto("/booking/check/")
    press(page, "Continue to payment")
    back = stripe_sandbox.pay(page.url).url
    later = clock.now() + dt.timedelta(minutes=50)
    payments.give_up_charge(booking_reference=booking.reference, by=JOB, now=later)
    Place.objects.filter(pk=booking.place_id).update(held_until=clock.now())
    b.BookingFactory.create_batch(8, session=booking.place.session, now=clock.now())
    bookings.lapse(booking_id=booking.pk, by=JOB, now=later)
    b.BookingFactory.create(session=booking.place.session, now=clock.now())
    page.goto(back)
    looker.look("other-dates", "Your payment arrived after your place had gone")
    press(page, "Have my money back")
    looker.look("paid-too-late", "Your payment came too late for this place")

    ready_to_pay(offer)
    referrals.withdraw(
        force_code="46",
        reference=REFERENCE,
        reason="COURT",
        effective_at=clock.now(),
        received_at=clock.now(),
        by=Actor("officer", "3"),
        now=clock.now(),
    )
    page.goto("/sessions/")
    looker.look("withdrawn", "The police have withdrawn your offer")
    page.goto("/offer/")
    looker.look("offer-withdrawn", "Kent Police offered you a course")
    assert looker.faults == []


def test_the_waiting_list(new_page: NewPage, live_web: Web, offer: Referral) -> None:
    page = new_page()
    looker = Looker(page, "waiting", live_web.url)
    c.VenueFactory.create_batch(2)
    sign_in(page)
    page.goto("/waiting/")
    looker.look("join", "Join the waiting list")
    press(page, "Join the waiting list")
    looker.look("dates-are-free", "Join the waiting list")
    page.get_by_label("Sunday").check()
    page.get_by_label("Online, by video call").check()
    press(page, "Join the waiting list")
    looker.look("joined", "You are on the waiting list")
    for name, last_day, heading in (
        ("leave-link", offer.complete_by, "Leave the waiting list?"),
        ("leave-link-expired", days.monday(weeks=-1), "This link has expired"),
    ):
        page.goto(leave_links.url_of(WaitingEntry.objects.get().pk, last_day=last_day))
        looker.look(name, heading)
    page.goto("/waiting/join/")
    looker.look("change", "Change what you wait for")
    page.goto("/waiting/offer/")
    looker.look("nothing-held", "We do not hold a place for you at the moment")
    sunday = days.monday(weeks=3) - DAY
    c.OpenSessionFactory.create(starts_at=days.at(sunday), capacity=1)
    assert bookings.offer_places(by=JOB, now=clock.now())["offered"] == 1
    page.goto("/waiting/")
    looker.look("waiting-with-a-place", "You are on the waiting list")
    page.goto("/waiting/offer/")
    looker.look("offer", "A place has come free for you")
    press(page, "Take this place")
    looker.look("taken", "How can we reach you?")
    page.goto("/waiting/")
    press(page, "Leave the waiting list")
    looker.look("left", "You have left the waiting list")

    booking = Booking.objects.get()
    bookings.cancel(booking_id=booking.pk, by=JOB, now=clock.now())
    Session.objects.filter(pk=booking.place.session_id).update(status="CANCELLED", cancel_reason="Ill")
    Referral.objects.filter(pk=offer.pk).update(status="BOOKED", first_booked_at=clock.now())
    later = session_in(days=60)
    b.ConfirmedBookingFactory.create(now=clock.now(), referral=offer, session=later)
    page.goto("/booking/")
    page.get_by_role("link", name="Wait for an earlier date").click()
    looker.look("join-booked", "Wait for an earlier date")
    page.get_by_label("Sunday").check()
    press(page, "Join the waiting list")
    looker.look("joined-booked", "You are on the waiting list")
    c.OpenSessionFactory.create(starts_at=days.at(sunday + 7 * DAY), capacity=1)
    assert bookings.offer_places(by=JOB, now=clock.now())["offered"] == 1
    page.goto("/waiting/offer/")
    looker.look("offer-booked", "A place has come free for you")
    press(page, "Take this place")
    looker.look("moved", "Your booking")
    assert looker.faults == []


def test_candidates_pages_after_the_course(new_page: NewPage, live_web: Web) -> None:
    referral = r.CompletedReferralFactory.create(now=clock.now(), reference=REFERENCE)
    b.CompletedBookingFactory.create(now=clock.now(), referral=referral)
    page = new_page()
    looker = Looker(page, "candidate-after", live_web.url)
    sign_in(page)
    looker.look("completed", "Your booking")
    page.get_by_role("link", name="Tell us how the course was").click()
    looker.look("feedback", "Tell us how the course was")
    press(page, "Send")
    looker.look("feedback-unanswered", "Tell us how the course was")
    page.get_by_label("Very good").check()
    press(page, "Send")
    looker.look("thanks", "Your booking")
    page.goto("/booking/feedback/")
    looker.look("feedback-given", "You cannot do this now")
    assert looker.faults == []


def test_paying_by_a_link(new_page: NewPage, live_web: Web, offer: Referral, stripe_sandbox: "Sandbox") -> None:
    page = new_page()
    looker = Looker(page, "pay-link", live_web.url)
    booking = ready_to_pay(offer)
    bookings.send_pay_link(booking_id=booking.pk, by=Actor("staff", "7"), now=clock.now())
    path = "/" + pay_links.url_of(booking.pk).split("/", 3)[3]
    page.goto(path)
    looker.look("to-pay", "Pay for your course")
    press(page, "Continue to payment")
    checkout = page.url
    page.goto(f"{path}?unpaid")
    looker.look("not-charged", "Pay for your course")
    page.goto(f"{path}return/")
    looker.look("waiting", "We are looking for your payment")
    page.goto(stripe_sandbox.pay(checkout).url)
    looker.look("paid", "Your course is booked")
    assert Booking.objects.get().status == "CONFIRMED"
    lapsed = b.ReadyBookingFactory.create(now=clock.now())
    bookings.send_pay_link(booking_id=lapsed.pk, by=Actor("staff", "7"), now=clock.now())
    bookings.lapse(booking_id=lapsed.pk, by=JOB, now=clock.now() + dt.timedelta(days=2))
    page.goto("/" + pay_links.url_of(lapsed.pk).split("/", 3)[3])
    looker.look("expired", "This link has expired")
    assert looker.faults == []


def ready_to_pay(offer: Referral) -> Booking:
    """A booking of the offer on the first date there is, with nothing left to do but pay."""
    session = Session.objects.filter(places_claimed=0).order_by("starts_at")[0]
    by, now = Actor("candidate", offer.key), clock.now()
    booking = bookings.hold(referral_id=offer.pk, session_id=session.pk, by=by, now=now)
    bookings.give_details(booking_id=booking.pk, email="jo@example.org", mobile="07700900123", by=by, now=now)
    texts = [text.pk for text in bookings.texts_needed(booking, now=now)]
    return bookings.give_consents(booking_id=booking.pk, text_ids=texts, by=by, now=now)


def test_polices_pages(new_page: NewPage, live_web: Web, celery_worker_process: Program) -> None:
    officer()
    for _ in range(3):
        r.LiveReferralFactory.create(now=clock.now())
    booked = r.BookedReferralFactory.create(now=clock.now(), reference=REFERENCE)
    b.ConfirmedBookingFactory.create(now=clock.now(), session=session_in(days=9), referral=booked)
    page = new_page()
    looker = Looker(page, "police", live_web.url)
    page.goto("/police/")
    looker.look("sign-in", "Sign in")
    press(page, "Sign in")
    looker.look("sign-in-empty", "Sign in")
    page.get_by_label("Username").fill("officer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    looker.look("dashboard")
    for path in ("upload", "batches", "decisions", "referrals", "returns", "forecasts"):
        page.goto(f"/police/{path}/")
        looker.look(path)
    page.goto("/police/upload/")
    press(page, "Send the file")
    looker.look("upload-empty", "Send a file")
    again = offer_row("46AXE0000001")
    for name, content in (
        ("offers.csv", offers_csv([again, offer_row("46AXE0000002")])),
        ("ugly.csv", UGLY.read_bytes()),
    ):
        page.goto("/police/upload/")
        page.get_by_label("Referrals").check()
        page.get_by_label("The file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
        press(page, "Send the file")
        page.get_by_role("heading", name="Receipt", exact=True).wait_for()
        looker.look(f"receipt-{name}", name)
    page.get_by_role("link", name="See all rows").click()
    looker.look("rows")
    page.goto("/police/batches/")
    looker.look("batches-two")
    page.goto("/police/decisions/")
    looker.look("decisions-waiting")
    page.locator("main a[href*='/police/decisions/']").first.click()
    looker.look("decide")
    page.goto(f"/police/referrals/?q={REFERENCE}")
    looker.look("referral", REFERENCE)
    for path in ("withdraw", "extend"):
        page.goto(f"/police/referrals/{REFERENCE}/{path}/")
        looker.look(path)
        page.locator("main form button").first.click()
        looker.look(f"{path}-unanswered")
    page.goto(f"/police/referrals/{REFERENCE}/withdraw/")
    page.get_by_label("Fixed penalty paid").check()
    page.locator("main form button").first.click()
    looker.look("withdraw-sure", "Withdraw this offer for good?")
    press(page, "Withdraw the offer")
    looker.look("withdrawn")
    page.goto("/police/referrals/46NOSUCH0001/")
    looker.look("not-found", "Page not found")
    assert looker.faults == []


def test_polices_pages_in_other_states(new_page: NewPage, live_web: Web) -> None:
    """No worker runs: files wait, and what became of them is set here."""
    kent = Officer.objects.get(user=officer())
    now = clock.now()
    for _ in range(2):
        r.LiveReferralFactory.create(now=now, surname="Okafor")
    offer = r.LiveReferralFactory.create(now=now, reference=REFERENCE)
    failed = r.NotCompletedReferralFactory.create(now=now)
    r.outcome(failed, now=now)
    page = new_page()
    looker = Looker(page, "police-states", live_web.url)
    page.goto("/police/")
    page.get_by_label("Username").fill("officer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    for name, path in (
        ("open-offers", "referrals/open/?list=live"),
        ("open-none", "referrals/open/?list=booked"),
        ("to-decide", "referrals/to-decide/"),
        ("found", "referrals/?q=oka"),
        ("found-nothing", "referrals/?q=zzz"),
        ("columns", "upload/columns/"),
        ("returns-due", "returns/"),
    ):
        page.goto(f"/police/{path}")
        looker.look(name)
    press(page, "Write the return")
    looker.look("returns-written", "Outcome returns")

    batch = send_batch(offers_csv([offer_row("46AXE0000001"), offer_row("46AXE0000002")]), kent.force, now)
    for name, state in {
        "waiting": {},
        "running": {"status": "RUNNING", "claimed_until": now + dt.timedelta(hours=1), "rows": 1, "rows_expected": 2},
        "interrupted": {"status": "RUNNING", "claimed_until": now, "attempts": 1},
        "left": {"attempts": 20},
        "refused": {"status": "REFUSED", "refusal": "The file has column names but no rows."},
    }.items():
        Batch.objects.filter(pk=batch.pk).update(**state)
        page.goto(f"/police/batches/{batch.pk}/")
        looker.look(f"batch-{name}", "offers.csv")

    address = f"/police/referrals/{offer.reference}/"
    page.goto(f"{address}course/")
    looker.look("course")
    in_error(page, looker, "course-unanswered", "Continue")
    page.get_by_label("What's Driving Us").check()
    page.get_by_label("Why is the course decided again?").fill("Review by the sergeant")
    press(page, "Continue")
    looker.look("course-sure", "Change the course of this offer?")
    page.goto(f"{address}extend/")
    for part, value in (("Day", "1"), ("Month", "1"), ("Year", "2020")):
        page.get_by_label(part, exact=True).fill(value)
    page.get_by_label("What shows that the extension was decided?").fill("Letter 7")
    press(page, "Continue")
    looker.look("extend-sure", "Extend this offer?")
    in_error(page, looker, "extend-refused", "Extend the offer")
    page.goto(address)
    in_error(page, looker, "note-empty", "Add the note")
    page.goto("/police/upload/")
    in_error(page, looker, "upload-empty", "Send the file")

    quarantined = send_batch(offers_csv([offer_row("42AXE0000001") | {"force_code": "42"}]), kent.force, now)
    referrals.import_batch(batch_id=quarantined.pk, by=JOB, now=now)
    page.goto("/police/decisions/")
    page.locator("main a[href*='/police/decisions/']").first.click()
    looker.look("decide-other-force")
    in_error(page, looker, "decide-unanswered", "Save the decision")
    assert looker.faults == []


def send_batch(content: bytes, force: Force, now: dt.datetime) -> Batch:
    """A file of the force, stored and waiting."""
    batch, _ = referrals.receive_batch(
        file=io.BytesIO(content), file_name="offers.csv", kind="referrals", force=force, by=JOB, now=now
    )
    return batch


def in_error(page: "Page", looker: Looker, name: str, button: str) -> None:
    """A form sent with something wrong says so in its title and takes whoever sent it to the list of what is wrong."""
    press(page, button)
    looker.look(name)
    assert page.title().startswith("Error: "), name
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary", name


def test_trainers_pages(new_page: NewPage, live_web: Web) -> None:
    session, later = session_in(days=1.5), session_in(days=7)
    trainer(session, later)
    jo = b.ConfirmedBookingFactory.create(now=clock.now(), session=session)
    long_named = r.BookedReferralFactory.create(now=clock.now(), surname="Adeyemi-Featherstonehaugh")
    b.ConfirmedBookingFactory.create(now=clock.now(), session=session, referral=long_named)
    b.NeedFactory.create(referral=jo.referral, kind="CAPTIONS")
    page = new_page()
    looker = Looker(page, "trainer", live_web.url)
    page.goto("/trainer/")
    page.get_by_label("Username").fill("trainer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    looker.look("courses", "My courses")
    page.goto(f"/trainer/sessions/{later.pk}/")
    looker.look("roster-too-early")
    page.goto(f"/trainer/sessions/{session.pk}/")
    looker.look("roster")
    ends_at = clock.now() - dt.timedelta(minutes=10)
    Session.objects.filter(pk=session.pk).update(starts_at=ends_at - dt.timedelta(hours=3), ends_at=ends_at)
    assert SessionTrainer.objects.get(session=session).ends_at == ends_at
    page.reload()
    looker.look("roster-to-mark")
    page.goto(f"/trainer/sessions/{session.pk}/clients/{jo.pk}/")
    looker.look("mark")
    press(page, "Save the mark")
    looker.look("mark-unanswered")
    page.get_by_label("What happened").select_option("Completed")
    page.get_by_label("Identity document checked").select_option("Passport")
    press(page, "Save the mark")
    looker.look("marked")
    page.goto(f"/trainer/sessions/{session.pk}/close/")
    looker.look("close", "Close the register")
    press(page, "Close the register")
    looker.look("close-too-early", "Close the register")
    page.goto("/police/")
    looker.look("refused")
    page.goto("/trainer/sessions/0/")
    looker.look("not-found", "Page not found")
    assert looker.faults == []
