"""Referrals by the million, made by the database itself, for measuring what officers' pages do among them.

Years of one large force and two others: nearly all of them ended long ago, and a few thousand open.
"""

from django.db.backends.utils import CursorWrapper

# Nothing here was ever done by anybody, so nothing of it belongs into the record.
_TABLES = ("referrals_referral", "referrals_outcome")


def fill(cursor: CursorWrapper, count: int) -> None:
    """Make so many referrals, the latest received on 20 November 2026, and the last year's outcomes.

    For databases of tests and measurements only; their owner's rights are needed. Statistics are brought up to date,
    as autovacuum would do it.
    """
    for table in _TABLES:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    cursor.execute(_REFERRALS, [count, count])
    cursor.execute(_OUTCOMES)
    # A table with checks still to be made cannot be altered.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in _TABLES:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute(f"ANALYZE {table}")


# One in twenty-seven is open; Kent has seven in ten.
_REFERRALS = """
    INSERT INTO referrals_referral (force_id, reference, pin_hash, course_type_id, status, status_at, status_by,
        received_at, bookable_at, offence_code, offence_at, offence_location, vehicle_registration, title, forenames,
        surname, surname_key, date_of_birth, licence_type, driver_number_encrypted, driver_number_hash, person_hash,
        licence_country, address_1, address_2, address_3, town, postcode, country, email, mobile, landline, offer_on,
        book_by, complete_by, content_hash)
    SELECT force, force || 'OLD' || lpad(n::text, 9, '0'), sha256(n::text::bytea),
        (SELECT id FROM courses_coursetype WHERE code = 'NSAC'),
        CASE WHEN mod(n, 27) > 0 THEN CASE WHEN mod(n, 3) = 0 THEN 'EXPIRED' ELSE 'COMPLETED' END
             WHEN mod(n, 4) = 0 THEN 'LIVE' WHEN mod(n, 4) = 1 THEN 'NOT_COMPLETED' ELSE 'BOOKED' END,
        at, 'job:made', at, at, 'SP30', at - interval '14 days', 'A28 Ashford Road',
        'G' || chr(65 + mod(n, 26)) || lpad(mod(n, 70)::text, 2, '0') || upper(substr(md5(n::text), 1, 3)),
        'Ms', 'Jo', surname, upper(surname), date '1950-01-01' + mod(n, 18000), 'GB', sha256(('e' || n)::bytea),
        sha256(('d' || n)::bytea), sha256(('p' || n)::bytea), 'GB', '1 High Street', '', '', 'Ashford',
        'TN' || mod(n, 30) || ' ' || mod(n / 30, 9) || chr(65 + mod(n / 300, 26)) || chr(65 + mod(n / 9000, 26)), 'GB',
        '', '', '', at::date, at::date + 28, at::date + 106, ''
    FROM (
        SELECT n, timestamptz '2026-11-20' - n * (interval '5 years' / %s) AS at,
            CASE WHEN mod(n, 10) < 7 THEN '46' WHEN mod(n, 10) < 9 THEN '42' ELSE '01' END AS force,
            (ARRAY['Smith', 'Jones', 'Taylor', 'O''Neil', 'Brown', 'Wood', 'Stone', 'Hill'])[1 + mod(n, 8)]
                || (ARRAY['', 'son', 'ley', 'ham', 'by', 'wick'])[1 + mod(n / 8, 6)]
                || chr(97 + mod(n / 48, 26)) || chr(97 + mod(n / 1248, 26)) AS surname
        FROM generate_series(1, %s) AS n
    ) AS rows"""

# All but the last day's have been given to the force.
_OUTCOMES = """
    INSERT INTO referrals_outcome (force_id, sequence, referral_id, outcome, reason, course_code, provider_reference,
        recorded_at, returned_at)
    SELECT force_id, row_number() OVER (PARTITION BY force_id ORDER BY received_at), id,
        CASE status WHEN 'EXPIRED' THEN 'EXPIRED_UNBOOKED' ELSE 'COMPLETED' END, '', 'NSAC', '', received_at,
        CASE WHEN received_at < timestamptz '2026-11-19' THEN received_at END
    FROM referrals_referral
    WHERE status IN ('COMPLETED', 'EXPIRED') AND received_at > timestamptz '2025-11-20'"""
