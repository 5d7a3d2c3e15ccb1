"""Candidates, officers and trainers at a real web server, who do what their pages ask for; and files of the police."""

import csv
import datetime as dt
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from accounts.models import Role, User
from common import clock
from courses.models import Session, Trainer
from referrals.models import Force, Officer
from tests.factories import courses as c
from tests.support.http import Page, Visitor

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Payment, Sandbox

PASSWORD = "demo"
PIN = "424242"
RECEIPT = "Receipt"


class Candidate(Visitor):
    """Somebody with a letter. Each step presses the button that its page has."""

    def __init__(self, origin: str, reference: str, *, pin: str = PIN) -> None:
        super().__init__(origin)
        self.reference = reference
        self.pin = pin
        self.checkout = ""

    def sign_in(self) -> Page:
        """From the start page into the offer, or wherever they were."""
        self.get("/")
        self.follow("Start now")
        return self.press("Continue", reference=self.reference, how="pin", pin=self.pin)

    def choose(self, session: Session) -> Page:
        """Hold a place on a date of the list."""
        page = self.get("/sessions/")
        it = ("session", str(session.pk))
        (button,) = [words for form in page.forms for words, sent in form.presses.items() if sent == it]
        return self.press(button)

    def answer(self, *, email: str, mobile: str = "") -> Page:
        """Contact details and consents, up to the page where everything is checked."""
        self.press("Continue", email=email, mobile=mobile)
        return self.press("Agree and continue", **self.tick_all("Agree and continue"))

    def click_pay(self) -> str:
        """Go to Stripe; the address of its page."""
        page = self.press("Continue to payment")
        self.checkout = page.headers.get("location", "")
        assert page.status == 302, f"{page.status} {page.heading}: {page.words[:1000]}"
        return self.checkout

    def up_to_paying(self, session: Session, *, email: str) -> str:
        """Everything from the letter to Stripe's page; its address."""
        self.sign_in()
        self.choose(session)
        self.answer(email=email)
        return self.click_pay()

    def pay(self, sandbox: "Sandbox", card: str = "4242424242424242") -> "Payment":
        """Pay on Stripe's page, without coming back yet."""
        return sandbox.pay(self.checkout, card)

    def come_back(self, payment: "Payment") -> Page:
        """Follow Stripe's link back to the portal."""
        return self.get(payment.url)


class Colleague(Visitor):
    """An officer, a trainer or a member of staff, with a name and a password."""

    def __init__(self, origin: str, user: User) -> None:
        super().__init__(origin)
        self.user = user

    def sign_in(self, door: str) -> Page:
        """Open their door and sign in where it leads."""
        self.get(door)
        return self.press("Sign in", login=self.user.username, password=PASSWORD)

    def send_file(self, content: bytes, *, kind: str = "referrals", name: str = "offers.csv") -> Page:
        """Upload a batch; the page that shows how far it is."""
        self.get("/police/upload/")
        return self.press("Send the file", kind=kind, file=(name, content))


def officer(force: str = "46", *, username: str = "officer", email: str = "officer@example.org") -> User:
    """An officer who can sign in."""
    user = User.objects.create_user(username, password=PASSWORD, role=Role.OFFICER, email=email)
    Officer.objects.create(user=user, force=Force.objects.get(pk=force))
    return user


def trainer(*sessions: Session, username: str = "trainer") -> User:
    """A trainer who can sign in and gives these sessions."""
    user = User.objects.create_user(username, password=PASSWORD, role=Role.TRAINER)
    person: Trainer = c.TrainerFactory.create(user=user)
    c.TrainerLicenceFactory.create(trainer=person, course_type=sessions[0].course_type)
    for session in sessions:
        c.SessionTrainerFactory.create(session=session, trainer=person)
    return user


def session_in(*, days: float, capacity: int = 9, code: str = "NSAC") -> Session:
    """An open digital session that starts so many days from now."""
    starts_at = (clock.now() + dt.timedelta(days=days)).replace(second=0, microsecond=0)
    session: Session = c.OpenSessionFactory.create(starts_at=starts_at, capacity=capacity, code=code)
    return session


COLUMNS = [
    "force_code",
    "reference",
    "pin",
    "course_code",
    "offence_code",
    "offence_at",
    "offence_location",
    "speed_limit_mph",
    "recorded_speed_mph",
    "vehicle_registration",
    "title",
    "forenames",
    "surname",
    "date_of_birth",
    "licence_type",
    "driver_number",
    "licence_country",
    "address_1",
    "town",
    "postcode",
    "country",
    "email",
    "mobile",
    "offer_date",
]


def offer_row(reference: str, **changes: str) -> dict[str, str]:
    """A good row of a batch of today, for a person of its own."""
    today = clock.london_day(clock.now())
    number = sum(ord(letter) * (place + 1) for place, letter in enumerate(reference)) % 900
    row = {
        "force_code": reference[:2],
        "reference": reference,
        "pin": PIN,
        "course_code": "NSAC",
        "offence_code": "SP30",
        "offence_at": f"{today - dt.timedelta(days=14)}T08:30",
        "offence_location": "A28 Ashford Road",
        "speed_limit_mph": "30",
        "recorded_speed_mph": "36",
        "vehicle_registration": "GJ22SLY",
        "title": "Ms",
        "forenames": "Zoë",
        "surname": f"O'Neil {reference[-3:]}",
        "date_of_birth": f"{1950 + number % 50}-01-15",
        "licence_type": "NONE",
        "address_1": f"{number} High Street",
        "town": "Ashford",
        "postcode": "TN23 3UT",
        "country": "GB",
        "email": f"{reference.lower()}@example.org",
        "mobile": "07700900123",
        "offer_date": str(today - dt.timedelta(days=1)),
    }
    return {**row, **changes}


def offers_csv(rows: Sequence[dict[str, str]]) -> bytes:
    """A batch file of these rows."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
