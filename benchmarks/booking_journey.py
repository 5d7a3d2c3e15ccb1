"""The candidate's whole way over HTTP, from the start page to a confirmed place, paid at the Stripe sandbox.

Four web processes, the Celery worker and beat on a durable PostgreSQL. The processor time is that of web, worker,
beat, PostgreSQL and Redis, until every message of the bookings is sent; candidates, sandbox and mail server are not
counted.
Environment: BENCH_BOOKINGS (200 for each number of candidates), BENCH_HELD (200000), BENCH_SESSIONS (2000),
BENCH_HOLDS (3000, for the step that takes a place).
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.journey import taking
from benchmarks.journey.portal import Portal

CANDIDATES = (1, 8, 32)
WARM_UP = 40
_QUIET = """
    SELECT NOT EXISTS (SELECT FROM notifications_message WHERE status = 'QUEUED' AND send_at <= now())
       AND NOT EXISTS (SELECT FROM payments_stripeevent WHERE status = 'RECEIVED')
"""


def run() -> list[Figure]:
    """The figures of the whole journey."""
    bookings = int(os.environ.get("BENCH_BOOKINGS", "200"))
    held = int(os.environ.get("BENCH_HELD", "200000"))
    open_sessions = int(os.environ.get("BENCH_SESSIONS", "2000"))
    holds = int(os.environ.get("BENCH_HOLDS", "3000"))
    counts = {hands: bookings if hands > 1 else max(bookings // 4, 10) for hands in CANDIDATES}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Portal(Path(folder)) as portal:
        filled = portal.child(
            "benchmarks.journey.fill",
            {"held": held, "sessions": open_sessions, "offers": WARM_UP + sum(counts.values()) + holds},
        )
        portal.serve()
        print(f"PostgreSQL: {portal.durability()}", file=sys.stderr)
        references = filled["references"]
        _journeys(portal, references[:WARM_UP], 8, first=0)
        taken = WARM_UP
        figures = []
        for hands, count in counts.items():
            told = _journeys(portal, references[taken : taken + count], hands, first=taken)
            taken += count
            figures += _figures(told, hands)
        figures += taking.measure(portal, references[taken:])
    return figures


def _journeys(portal: Portal, references: list[str], hands: int, *, first: int) -> dict[str, Any]:
    before = portal.cpu()
    told: dict[str, Any] = portal.child(
        "benchmarks.journey.load",
        {
            "what": "journeys",
            "web": portal.web.socket.getsockname(),
            "sandbox": portal.sandbox.url,
            "references": references,
            "hands": hands,
            "first": first,
        },
    )
    portal.wait(_QUIET, "every message to be sent and every webhook to be read")
    after = portal.cpu()
    if told["failures"]:
        raise RuntimeError(f"{len(references) - told['done']} journeys failed: {told['failures'][:3]}")
    told["cpu"] = {part: after[part] - before[part] for part in after}
    return told


def _figures(told: dict[str, Any], hands: int) -> list[Figure]:
    who = "1 candidate" if hands == 1 else f"{hands} candidates"
    done = told["done"]
    per_booking = {part: 1000 * seconds / done for part, seconds in told["cpu"].items()}
    parts = ", ".join(f"{part} {used:.1f}" for part, used in per_booking.items())
    print(f"{who}: {sum(per_booking.values()):.1f} ms of processor time a booking ({parts})", file=sys.stderr)
    for step, seconds in told["steps"].items():
        p50, p95 = _quantiles(seconds)
        print(
            f"  {step:28} {len(seconds) / done:5.2f} a booking  p50 {p50:6.1f} ms  p95 {p95:6.1f} ms", file=sys.stderr
        )
    return [
        Figure(f"booking: server CPU each, {who}", sum(per_booking.values()), "ms", at_most=80),
        Figure(
            f"booking: completed a second, {who}", done / told["seconds"], "/s", at_least=12 if hands == 32 else None
        ),
    ]


def _quantiles(seconds: list[float]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return 1000 * statistics.median(ordered), 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
