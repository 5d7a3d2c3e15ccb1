"""What the place-taking page says to the database, caught once as text, and said again for other candidates."""

import json
import os
import re
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

BEGIN, COMMIT = "BEGIN", "COMMIT"
# Numbers that stand for nothing else in any of the statements.
PLACE_ID = 940_000_001


def catch(referral: Any, session_id: int) -> None:
    """Take a place over the page itself, in this process, and keep the statements with names in place of values."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from bookings.models import Booking
    from bookings.views import door
    from common import clock

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    signed_in = client.session
    signed_in[door.REFERRAL_ID], signed_in[door.REFERRAL_KEY] = referral.pk, referral.key
    signed_in[door.SEEN_AT] = int(clock.now().timestamp())
    signed_in.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM courses_place_id_seq")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT setval('courses_place_id_seq', %s, false)", [PLACE_ID])
    said: list[str] = []

    def note(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        said.append(context["cursor"].cursor.mogrify(sql, params).decode())
        return execute(sql, params, many, context)

    set_autocommit, commit = connection.set_autocommit, connection.commit
    connection.set_autocommit = lambda on, *a, **k: (
        said.append(BEGIN) if not on else None,
        set_autocommit(on, *a, **k),
    )
    connection.commit = lambda: (said.append(COMMIT), commit())
    try:
        with connection.execute_wrapper(note):
            response = client.post("/booking/hold/", {"session": session_id})
    finally:
        connection.set_autocommit, connection.commit = set_autocommit, commit
    if response.status_code != 302:
        raise RuntimeError(f"the page answered {response.status_code}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('courses_place_id_seq', %s)", [before])
    booking = Booking.objects.get(referral=referral)
    names = {
        referral.key: "{key}",
        str(referral.pk): "{referral}",
        str(session_id): "{session}",
        str(PLACE_ID): "{place}",
        booking.reference: "{reference}",
    }
    known = re.compile("|".join(rf"(?<![\w.]){re.escape(value)}(?!\w)" for value in names))
    kept = [known.sub(lambda found: names[found[0]], text.replace("{", "{{").replace("}", "}}")) for text in said]
    joined = "".join(kept)
    if booking.place_id != PLACE_ID or any(name not in joined for name in names.values()):
        raise RuntimeError("the statements do not hold what they should")
    _file().write_text(json.dumps(kept), encoding="utf-8")


def say(cursor: Any, job: dict[str, Any]) -> None:
    """All statements, for this referral, key and session; the place's number is what the database gives."""
    values = {**job, "reference": f"KCC-{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper(), "place": 0}
    for text in _kept():
        cursor.execute(text.format_map(values))
        if cursor.description is not None:
            rows = cursor.fetchall()
            if 'INSERT INTO "courses_place"' in text:
                values["place"] = rows[0][0]


@lru_cache(maxsize=1)
def _kept() -> list[str]:
    kept: list[str] = json.loads(_file().read_text(encoding="utf-8"))
    return kept


def _file() -> Path:
    return Path(os.environ["NDORS_TEST_RUN"], "statements.json")
