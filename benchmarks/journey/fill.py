"""Fills a new database, in a process of its own: past referrals, open courses, and offers that can be booked with."""

import datetime as dt
import io
import json
import sys

TOWNS = ("Ashford", "Canterbury", "Dover", "Gravesend", "Maidstone", "Margate")
PIN = "424242"


def main() -> dict[str, object]:
    """`held` past referrals, `sessions` open courses in the next 15 weeks, `offers` that police sent today."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from devtools.many_referrals import fill

    given = json.load(sys.stdin)
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        if given.get("held"):
            fill(cursor, given["held"])
        sessions = _sessions(given["sessions"], given.get("capacity"))
        references = _offers(given["offers"])
        for table in ("referrals_referral", "courses_session"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return {"references": references, "sessions": sessions}


def _sessions(count: int, capacity: int | None = None) -> list[int]:
    """Courses for speeding, one in four in a classroom: nine or twelve places each, at five times of the day."""
    from common import clock
    from courses.models import CourseType, CourseVersion, Room, Session, Venue

    now = clock.now()
    kind = CourseType.objects.get(code="NSAC")
    versions = {version.mode: version for version in CourseVersion.objects.filter(course_type=kind, valid_to=None)}
    rooms = [
        Room.objects.create(
            venue=Venue.objects.create(
                name=f"{town} Hall", town=town, address=f"1 Hall Road\n{town}", postcode="ME14 1XX"
            ),
            name="Main",
            seats=24,
        )
        for town in TOWNS
    ]
    first, days = clock.london_day(now) + dt.timedelta(days=3), 100
    made = []
    for n in range(count):
        day, turn = n % days, n // days
        is_room = turn % 4 == 3 and turn // 4 < 2 * len(rooms)
        mode = "CLASSROOM" if is_room else "DIGITAL"
        hour = (9, 14)[turn // 4 % 2] if is_room else (9, 11, 13, 16, 18)[turn % 5]
        starts_at = clock.from_london(first + dt.timedelta(days=day), dt.time(hour))
        made.append(
            Session(
                course_type=kind,
                version=versions[mode],
                mode=mode,
                room=rooms[turn // 8 % len(rooms)] if is_room else None,
                starts_at=starts_at,
                ends_at=starts_at + dt.timedelta(minutes=versions[mode].duration_minutes),
                status="OPEN",
                status_at=now,
                status_by="command:measure",
                capacity=capacity or (12 if is_room else 9),
                joining_url="" if is_room else "https://meet.example.org/j/1234",
            )
        )
    return [session.pk for session in Session.objects.bulk_create(made, batch_size=1000)]


def _offers(count: int) -> list[str]:
    """By the road that police use: a file, imported."""
    from audit.context import Actor, acting
    from common import clock
    from referrals import services
    from referrals.models import Force
    from tests.support.people import offer_row, offers_csv

    references = [f"46BENCH{n:07d}" for n in range(count)]
    file = io.BytesIO(offers_csv([offer_row(reference, surname=f"Bench{reference[-7:]}") for reference in references]))
    by = Actor("job", "measure")
    with acting(by):
        batch, _ = services.receive_batch(
            file=file,
            file_name="offers.csv",
            kind="referrals",
            force=Force.objects.get(pk="46"),
            by=by,
            now=clock.now(),
        )
        batch = services.import_batch(batch_id=batch.pk, by=by, now=clock.now())
    if batch.new != count:
        raise RuntimeError(f"only {batch.new} of {count} offers can be booked with")
    return references


if __name__ == "__main__":
    print(json.dumps(main()))
