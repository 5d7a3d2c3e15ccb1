"""Signing in with the letter: reference and PIN, or reference and driver number.

Tries are counted in the database, under a row's lock, before anything is compared: parallel guesses are counted one by
one, and emptying Redis gives no further tries (five a quarter-hour per reference, thirty per address).
"""

import datetime as dt
from collections.abc import Mapping

from django.db import connection, transaction

from audit import services as audit
from audit.context import Actor
from bookings.errors import TooManyTriesError, WrongDetailsError
from bookings.models import SignInTries
from common import crypto
from common.identifiers import normalise_reference
from referrals import selectors as referrals
from referrals.models import Referral

TRIES_PER_REFERENCE = 5
TRIES_PER_ADDRESS = 30
WINDOW = dt.timedelta(minutes=15)
_PURPOSE = "sign-in-tries"

# A try is counted only if it is allowed; RETURNING tells whether it was (the last one counted is ours).
_COUNT = """
    INSERT INTO bookings_signintries AS t (subject, tried_at, last_at) VALUES (%(subject)s, ARRAY[%(now)s], %(now)s)
    ON CONFLICT (subject) DO UPDATE SET
        tried_at = (
            SELECT array_agg(at ORDER BY at) FROM unnest(t.tried_at || EXCLUDED.last_at) AS at WHERE at > %(since)s
        ),
        last_at = EXCLUDED.last_at
    WHERE (SELECT count(*) FROM unnest(t.tried_at) AS at WHERE at > %(since)s) < %(most)s
    RETURNING 1
"""


def sign_in(*, reference: str, pin: str = "", driver_number: str = "", address: str, now: dt.datetime) -> Referral:
    """The referral that these details open. Raises TooManyTriesError, WrongDetailsError.

    Unknown, withdrawn and wrong are answered alike, in the same time. Success forgets the tries for the reference and
    takes back the one for the address, so that somebody who comes and goes is never shut out.
    """
    typed = normalise_reference(reference) or reference.strip().upper()[:25]
    by_address, by_reference = _subject("address", address), _subject("reference", typed)
    if not _count({by_address: TRIES_PER_ADDRESS, by_reference: TRIES_PER_REFERENCE}, now):
        raise TooManyTriesError
    referral = referrals.find_offer(reference=typed, pin=pin, driver_number=driver_number)
    if referral is None:
        raise WrongDetailsError
    with transaction.atomic(durable=True):
        SignInTries.objects.filter(subject=by_reference).delete()
        _take_back(by_address, now)
        by = Actor("candidate", referral.key)
        audit.record(
            "candidate.signed_in",
            by=by,
            now=now,
            words="The candidate signed in with the PIN."
            if pin
            else "The candidate signed in with the driver number.",
            referral_key=referral.key,
        )
    return referral


def forget_old_tries(*, now: dt.datetime) -> int:
    """Delete counts that say nothing any more."""
    return SignInTries.objects.filter(last_at__lt=now - WINDOW).delete()[0]


def _subject(kind: str, value: str) -> bytes:
    return crypto.keyed_hash(_PURPOSE, kind, value)


def _count(most_of: Mapping[bytes, int], now: dt.datetime) -> bool:
    """Count a try for each subject in turn, up to the first that has had all of its own. Committed on return."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        for subject, most in most_of.items():
            cursor.execute(_COUNT, {"subject": subject, "now": now, "since": now - WINDOW, "most": most})
            if cursor.fetchone() is None:
                return False
    return True


def _take_back(subject: bytes, now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bookings_signintries SET tried_at = array_remove(tried_at, %s) WHERE subject = %s", [now, subject]
        )
