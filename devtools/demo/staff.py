"""Who works here and where: accounts, officers, trainers with their licences, venues with their rooms."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from accounts.models import Role, User
from audit.context import Actor
from courses.constants import LicenceStage
from courses.models import AdiRegistration, CourseType, Room, Trainer, TrainerLicence, Venue
from referrals.models import Force, Officer

PASSWORD = "demo"
ADMIN = "admin"
ALL = ("NSAC", "NMAC", "WDU", "NRRAC", "SCD")


@dataclass(frozen=True)
class Sketch:
    """A trainer: sign-in, name, what they are licensed for, and what is worth a look about them."""

    user: str
    name: str
    courses: tuple[str, ...]
    adi: str = ""
    provisional: str = ""
    ends_soon: str = ""


TRAINERS = (
    Sketch("trainer", "Sam Hartley", ALL, adi="418207"),
    Sketch("t.bose", "Tara Bose", ("NSAC", "NMAC", "WDU")),
    Sketch("d.lloyd", "Dylan Lloyd", ("NSAC", "NMAC", "WDU", "NRRAC"), ends_soon="NMAC"),
    Sketch("m.ferreira", "Marta Ferreira", ("NSAC", "WDU", "SCD"), adi="523316"),
    Sketch("k.obi", "Kelechi Obi", ("NSAC", "NMAC"), provisional="WDU"),
    Sketch("h.price", "Helen Price", ("NSAC", "NRRAC", "SCD"), adi="607442"),
    Sketch("r.sandhu", "Ranjit Sandhu", ("NSAC", "NMAC", "NRRAC")),
)
VENUES = (
    {
        "name": "Medway House",
        "town": "Maidstone",
        "address": "Medway House\n1 Example Street\nMaidstone",
        "postcode": "ME14 1XX",
        "latitude": "51.27200",
        "longitude": "0.52900",
        "directions": "Five minutes on foot from Maidstone East station. Pay and display parking behind the house.",
        "is_step_free": True,
        "has_hearing_loop": True,
    },
    {
        "name": "Stour Centre Rooms",
        "town": "Ashford",
        "address": "Stour Centre Rooms\n2 Example Way\nAshford",
        "postcode": "TN23 1XX",
        "latitude": "51.14600",
        "longitude": "0.87500",
        "directions": "Beside Ashford International station. Free parking for three hours.",
        "is_step_free": True,
        "has_hearing_loop": False,
    },
)
ROOMS = {"Maidstone": (("Tyrwhitt-Drake Room", 24), ("Garden Room", 14)), "Ashford": (("Willow Room", 24),)}


@dataclass(frozen=True)
class Staff:
    """The people of the story, as the record names them, and who may be asked to do what."""

    clerk: Actor
    manager: Actor
    officers: dict[str, Actor]
    trainers: tuple["Licensed", ...]
    rooms: dict[str, tuple[Room, ...]]


@dataclass(frozen=True)
class Licensed:
    """A trainer with what they may teach until when, by course code; "ADI" is the road."""

    trainer: Trainer
    actor: Actor
    until: dict[str, dt.date]


@transaction.atomic
def make_staff(*, today: dt.date) -> Staff:
    """Make everybody but the administrator, whose account says that the demo is loaded and is therefore made last."""
    secret = make_password(PASSWORD)  # once: hashing is slow on purpose
    groups = _groups()
    clerk = _user("clerk", "Jo Marsh", Role.CLERK, secret, groups["Clerks"])
    manager = _user("manager", "Chris Lovell", Role.MANAGER, secret, groups["Managers"])
    _user("finance", "Amara Eze", Role.FINANCE, secret, groups["Finance"])
    _user("finance-2", "Owen Tate", Role.FINANCE, secret, groups["Finance"])  # decides on what the first asks for
    officers = {}
    for code, name, words in (("46", "officer", "Pat Hollis"), ("42", "officer-essex", "Lesley Finch")):
        officer = _user(name, words, Role.OFFICER, secret)
        Officer.objects.create(user=officer, force=Force.objects.get(pk=code))
        officers[code] = Actor("officer", str(officer.pk))
    return Staff(
        clerk=Actor("staff", str(clerk.pk)),
        manager=Actor("staff", str(manager.pk)),
        officers=officers,
        trainers=tuple(_trainer(sketch, secret, today) for sketch in TRAINERS),
        rooms=_rooms(),
    )


def make_admin() -> User:
    """The administrator's account."""
    return User.objects.create_superuser(
        ADMIN, "admin@example.org", PASSWORD, first_name="Robin", last_name="Admin", role=Role.MANAGER
    )


def _user(username: str, name: str, role: Role, secret: str, group: Group | None = None) -> User:
    first, last = name.split()
    user = User.objects.create(
        username=username,
        first_name=first,
        last_name=last,
        email=f"{username}@example.org",
        role=role,
        is_staff=group is not None,
        password=secret,
    )
    if group:
        user.groups.add(group)
    return user


def _groups() -> dict[str, Group]:
    """Everybody at KCC may look, at needs only who arranges them.

    A clerk runs courses and bookings, finance money, a manager all but accounts.
    """
    ours = Q(content_type__app_label__in=settings.FIRST_PARTY_APPS) & ~Q(content_type__app_label="accounts")
    look = ours & Q(codename__startswith="view_") & ~Q(codename__in=("view_need", "view_historicalneed"))
    daily = Q(content_type__app_label__in=("courses", "bookings", "rosters"))
    # Police's decisions are recorded by a clerk; who acts for which force is a manager's affair.
    decisions = Q(content_type__app_label="referrals", codename__in=("change_referral", "change_batchrow"))
    may = {
        "Clerks": look | daily | decisions,
        "Finance": look | ours & Q(content_type__app_label="payments"),
        "Managers": ours,
    }
    groups = {}
    for name, which in may.items():
        groups[name], _ = Group.objects.get_or_create(name=name)
        groups[name].permissions.set(Permission.objects.filter(which))
    return groups


def _trainer(sketch: Sketch, secret: str, today: dt.date) -> Licensed:
    user = _user(sketch.user, sketch.name, Role.TRAINER, secret)
    trainer = Trainer.objects.create(
        user=user, name=sketch.name, email=user.email, mobile=f"07700 9001{len(sketch.name):02d}"
    )
    until = {}
    for code in (*sketch.courses, *filter(None, [sketch.provisional])):
        is_provisional = code == sketch.provisional
        valid_from = today - dt.timedelta(days=60 if is_provisional else 500)
        until[code] = valid_from + dt.timedelta(days=183 if is_provisional else 730)
        if code == sketch.ends_soon:
            until[code] = today + dt.timedelta(days=19)
        TrainerLicence.objects.create(
            trainer=trainer,
            course_type=CourseType.objects.get(code=code),
            stage=LicenceStage.PROVISIONAL if is_provisional else LicenceStage.FULL,
            valid_from=valid_from,
            valid_to=until[code],
            assessed_on=None if is_provisional else valid_from,
        )
    if sketch.adi:
        until["ADI"] = today + dt.timedelta(days=700)
        AdiRegistration.objects.create(
            trainer=trainer, number=sketch.adi, valid_from=today - dt.timedelta(days=700), valid_to=until["ADI"]
        )
    return Licensed(trainer, Actor("trainer", str(user.pk)), until)


def _rooms() -> dict[str, tuple[Room, ...]]:
    rooms = {}
    for sketch in VENUES:
        venue = Venue.objects.create(**sketch)
        rooms[venue.town] = tuple(
            Room.objects.create(venue=venue, name=name, seats=seats) for name, seats in ROOMS[venue.town]
        )
    return rooms
