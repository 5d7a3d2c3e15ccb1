"""Each day Stripe's books, our ledger and the bookings are laid side by side (ADR 0016).

A day is a London day. What Stripe knows and we do not is written down first, by the services that would have done so
had the webhook come; only what then does not agree is an exception, a task for a person. A day may be run any number
of times: an exception that is no longer found is closed by itself.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator

from django.db import connection, transaction
from django.db.models import Count, Q, Sum

from audit import services as audit
from audit.context import Actor
from common.clock import date_words, end_of_london_day, start_of_london_day
from common.copy import copy_rows
from common.labels import mid_sentence
from common.money import pounds_and_pence
from payments import gateway, rules
from payments.constants import RUNS_NOT_ENDED, ExceptionKind, RunStatus
from payments.errors import AlreadyResolvedError, DayNotBegunError, MismatchError
from payments.models import Attempt, Payout, ReconciliationException, ReconciliationRun, StripeTransaction
from payments.rules import Finding
from payments.services import letters, matching, payouts, repairing

# Stripe is asked about so many entries one by one before the rest are taken for missing.
LOOK_UPS = 200
BALANCE_TRIES = 3
# An inquiry that could not be written down on its own day is found by a later one.
DISPUTES_LOOK_BACK = dt.timedelta(days=7)
_CHUNK = 2000
_COLUMNS = (
    "run_id", "turn", "transaction_id", "type", "kind", "amount_pence", "fee_pence", "currency", "source",
    "created_at", "ledger_source",
)  # fmt: skip
LookAtBookings = Callable[[dt.datetime, dt.datetime], Iterable[Finding]]


def reconcile_day(
    *, day: dt.date, by: Actor, now: dt.datetime, look_at_bookings: LookAtBookings | None = None
) -> ReconciliationRun:
    """Compare a London day, today's as far as it has gone, and leave its run up to date.

    `look_at_bookings(start, end)` gives what the app of bookings finds wrong; this app knows none. Calls Stripe, with
    no transaction open, and holds a day's lines in the database, never in memory. May be repeated and run twice at
    once: the turn that began last has the word. Raises StripeUnavailableError, with the run left as begun, and
    DayNotBegunError. Whatever else breaks it off is raised too: the run has failed then, and staff are told once.
    """
    if now < start_of_london_day(day):
        raise DayNotBegunError
    lines = _begin(day, by=by, now=now)
    try:
        return _compare(lines, day=day, by=by, now=now, look_at_bookings=look_at_bookings)
    except gateway.StripeUnavailableError:
        raise
    except Exception as error:  # whatever it was, the run says so and does not stay RUNNING; it is raised again
        _break_off(lines, error, by=by, now=now)
        raise


def _compare(
    lines: matching.Lines, *, day: dt.date, by: Actor, now: dt.datetime, look_at_bookings: LookAtBookings | None
) -> ReconciliationRun:
    start, end = start_of_london_day(day), end_of_london_day(day)
    _read(lines, start=start, end=end)
    matching.analyse()
    repairing.catch_up(by=by, now=now)
    matching.name_payments(lines)
    repaired = repairing.repair(lines, by=by, now=now)
    repaired += repairing.find_disputes(since=start - DISPUTES_LOOK_BACK, by=by, now=now)
    matching.name_payments(lines)
    matching.write_fees(lines, by=by, now=now)
    findings = list(matching.differences(lines))
    of_payouts = list(_of_payouts(start=start, end=end, by=by, now=now))
    missing, crossing = _not_at_stripe(lines, start=start, end=end)
    unheard_of = matching.rows_without_entry(lines, start=start, end=end)
    theirs = _balance_at(end)
    ours = matching.clearing_balance(end=end) + matching.booked_later(lines, end=end) - crossing
    of_bookings = list(look_at_bookings(start, end)) if look_at_bookings else []
    return _finish(
        lines,
        [*findings, *missing, *unheard_of, *of_payouts, *of_bookings],
        ours_pence=ours,
        theirs_pence=theirs,
        repaired=repaired,
        now=now,
        by=by,
    )


@transaction.atomic(durable=True)
def resolve_exception(*, exception_id: int, reason: str, by: Actor, now: dt.datetime) -> ReconciliationException:
    """Note why a difference is right, or what was done about it. Raises AlreadyResolvedError. Locks its run."""
    run_id = ReconciliationException.objects.values_list("run_id", flat=True).get(pk=exception_id)
    run = ReconciliationRun.objects.select_for_update().get(pk=run_id)
    found = ReconciliationException.objects.select_for_update().get(pk=exception_id)
    if found.resolved_at is not None or found.gone_at is not None:
        raise AlreadyResolvedError
    found.resolved_at, found.resolved_by, found.resolution = now, str(by), reason[:300]
    found.save(update_fields=["resolved_at", "resolved_by", "resolution"])
    if run.status not in RUNS_NOT_ENDED:
        run.status = _status(run)
        run.save(update_fields=["status"])
    audit.record(
        "reconciliation.resolved",
        by=by,
        now=now,
        words=f"{found.get_kind_display()} ({found.subject}) on {date_words(run.day)} is explained",
        subject=f"reconciliation:{run.day}",
        reason=reason,
        data={"exception": found.pk, "booking": found.booking_reference},
    )
    return found


# --- Reading Stripe --------------------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def _begin(day: dt.date, *, by: Actor, now: dt.datetime) -> matching.Lines:
    ReconciliationRun.objects.get_or_create(day=day, defaults={"started_at": now, "done_by": str(by)})
    run = ReconciliationRun.objects.select_for_update().get(day=day)
    run.turn += 1
    run.status, run.started_at, run.finished_at, run.done_by = RunStatus.RUNNING, now, None, str(by)
    run.save(update_fields=["turn", "status", "started_at", "finished_at", "done_by"])
    return matching.Lines(run.pk, run.turn)


def _read(lines: matching.Lines, *, start: dt.datetime, end: dt.datetime) -> None:
    """Copy Stripe's transactions of the day beside ours, some pages at a time, each with no call under way."""
    found = gateway.transactions(since=start, until=end)
    while chunk := list(itertools.islice(found, _CHUNK)):
        rows = (_row(lines, one) for one in chunk)
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            copy_rows(cursor, StripeTransaction._meta.db_table, _COLUMNS, rows)


def _row(lines: matching.Lines, one: gateway.Transaction) -> tuple[object, ...]:
    kind = rules.movement_of(type_=one.type, category=one.category)
    source = rules.ledger_source(kind, source=one.source, transaction_id=one.transaction_id)
    return (
        lines.run_id, lines.turn, one.transaction_id, one.type, kind, one.amount_pence, one.fee_pence, one.currency,
        one.source, one.created_at, source,
    )  # fmt: skip


def _of_payouts(*, start: dt.datetime, end: dt.datetime, by: Actor, now: dt.datetime) -> Iterator[Finding]:
    """Payout by payout: write it down, add up what it is made of, and compare."""
    for fact in gateway.payouts(since=start, until=end):
        try:
            payout = payouts.record_payout(fact, by=by, now=now)
        except MismatchError as error:
            note = error.message[:300]
            yield Finding(ExceptionKind.CURRENCY, fact.payout_id, None, fact.amount_pence, 0, note)
            continue
        count = pence = 0
        for one in gateway.transactions_of_payout(fact.payout_id):
            if one.source != fact.payout_id:
                count, pence = count + 1, pence + one.net_pence
        Payout.objects.filter(pk=payout.pk).exclude(transactions=count, transactions_pence=pence).update(
            transactions=count, transactions_pence=pence
        )
        if pence != fact.amount_pence:
            note = f"its {count} transactions add up to the second sum"
            yield Finding(ExceptionKind.PAYOUT_SUM, fact.payout_id, fact.amount_pence, pence, 0, note)


def _not_at_stripe(lines: matching.Lines, *, start: dt.datetime, end: dt.datetime) -> tuple[list[Finding], int]:
    """Entries of the day that Stripe knows nothing of; and the pence of those it dates after the day."""
    missing, crossing = [], 0
    for number, entry in enumerate(matching.entries_without_line(lines, start=start, end=end)):
        at = _at_stripe(entry.source) if number < LOOK_UPS else None
        if at is None:
            missing.append(entry)
        elif at >= end:
            crossing += entry.pence
    return [_missing(entry, fee) for entry, fee in _with_their_fees(missing)], crossing


def _with_their_fees(entries: list[matching.Entry]) -> Iterator[tuple[matching.Entry, int]]:
    """Each entry with the fee that is missing along with it, for that is one difference, not two; then other fees."""
    is_fee = {entry.source: entry.source.startswith("stripe-fee:") for entry in entries}
    fees = {entry.booking_reference: entry for entry in entries if is_fee[entry.source] and entry.booking_reference}
    for entry in entries:
        if not is_fee[entry.source]:
            fee = fees.pop(entry.booking_reference, None)
            yield entry, fee.pence if fee else 0
    alone = set(fees.values())
    for entry in entries:
        if is_fee[entry.source] and (entry in alone or not entry.booking_reference):
            yield entry, 0


def _missing(entry: matching.Entry, fee_pence: int) -> Finding:
    note = "the ledger has this entry; Stripe has no transaction for it"
    if fee_pence:
        note = f"{note}, nor for the fee of {pounds_and_pence(-fee_pence)}"
    effect = entry.pence + fee_pence
    return Finding(ExceptionKind.WITH_US_ONLY, entry.source, entry.pence, None, effect, note, entry.booking_reference)


def _at_stripe(source: str) -> dt.datetime | None:
    """When Stripe dates what an entry records: a moment's difference may lie over midnight. None: not at all."""
    stem, _, key = source.partition(":")
    if stem in ("disputed", "stripe-fee"):
        found = gateway.find_transaction(key)
        return found.created_at if found else None
    if stem == "paid":
        paid = Attempt.objects.filter(payment_intent_id=key).exclude(stripe_charge_id="")
        key = paid.values_list("stripe_charge_id", flat=True).first() or ""
    about = gateway.transactions_about(key) if key else []
    for one in about:
        movement = rules.movement_of(type_=one.type, category=one.category)
        if stem == "paid" or rules.ledger_source(movement, source=one.source, transaction_id="") == source:
            return one.created_at
    return None


def _balance_at(end: dt.datetime) -> int:
    """Stripe's balance at the end of the day: what it is now, less what came after. In pence.

    Stripe tells only the present one, so it is read on both sides of the transactions that came after, until no
    payment has slipped in between.
    """
    for _ in range(BALANCE_TRIES):
        held = gateway.balance_pence()
        after = sum(one.net_pence for one in gateway.transactions(since=end) if one.currency == rules.CURRENCY)
        if gateway.balance_pence() == held:
            break
    return held - after


# --- What came of it -------------------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def _finish(
    lines: matching.Lines,
    findings: list[Finding],
    *,
    ours_pence: int,
    theirs_pence: int,
    repaired: int,
    by: Actor,
    now: dt.datetime,
) -> ReconciliationRun:
    run = ReconciliationRun.objects.select_for_update().get(pk=lines.run_id)
    if run.turn != lines.turn:
        return run  # another turn began meanwhile and will tell
    StripeTransaction.objects.filter(run=run).exclude(turn=run.turn).delete()
    unexplained = ours_pence - theirs_pence - sum(one.effect_pence for one in findings) - _standing_effect(run)
    if unexplained:
        note = f"{pounds_and_pence(unexplained)} is explained by none of the other differences"
        findings = [*findings, Finding(ExceptionKind.BALANCE, "clearing", ours_pence, theirs_pence, unexplained, note)]
    new = _store(run, findings, now=now)
    _count(run, matching.totals(lines))
    run.stripe_balance_pence, run.ledger_balance_pence = theirs_pence, ours_pence
    run.finished_at, run.repaired = now, repaired
    run.status = _status(run)
    run.save()
    words = f"Reconciled {date_words(run.day)}: {mid_sentence(run.get_status_display())}"
    data = {"transactions": run.transactions, "repaired": repaired, "new": new}
    audit.record("reconciliation.run", by=by, now=now, words=words, subject=f"reconciliation:{run.day}", data=data)
    if new:
        letters.write(
            f"{date_words(run.day)} does not agree with Stripe",
            facts=[f"{new} new differences", f"{run.transactions} transactions compared"],
            path=_path(run),
            key=f"reconciliation:{run.day}:{run.turn}",
            now=now,
        )
    return run


@transaction.atomic(durable=True)
def _break_off(lines: matching.Lines, error: Exception, *, by: Actor, now: dt.datetime) -> None:
    run = ReconciliationRun.objects.select_for_update().get(pk=lines.run_id)
    if run.turn != lines.turn:
        return
    run.status = RunStatus.FAILED
    run.save(update_fields=["status"])
    words = f"{date_words(run.day)} could not be compared with Stripe"
    audit.record("reconciliation.failed", by=by, now=now, words=words, subject=f"reconciliation:{run.day}")
    facts = [type(error).__name__, "it is tried again with the next comparison"]
    letters.write(words, facts=facts, path=_path(run), key=f"reconciliation:{run.day}:failed", now=now)


def _path(run: ReconciliationRun) -> str:
    return f"/admin/payments/reconciliationrun/{run.pk}/change/"


def _standing_effect(run: ReconciliationRun) -> int:
    """What the differences of earlier days, explained or not, still set the clearing account off by."""
    earlier = ReconciliationException.objects.filter(run__day__lt=run.day, gone_at__isnull=True)
    pence: int = earlier.aggregate(pence=Sum("effect_pence", default=0))["pence"]
    return pence


def _store(run: ReconciliationRun, findings: Iterable[Finding], *, now: dt.datetime) -> int:
    """Keep what was found, close what is gone, open again what came back; returns how many are new or open again."""
    known = {(row.kind, row.subject): row for row in ReconciliationException.objects.filter(run=run)}
    new, again, changed = [], 0, []
    for one in findings:
        row = known.pop((one.kind, one.subject), None)
        if row is None:
            row = ReconciliationException(run=run, kind=one.kind, subject=one.subject, found_at=now)
            new.append(row)
        else:
            before = (row.ours_pence, row.theirs_pence, row.effect_pence)
            is_other = row.gone_at is not None or before != (one.ours_pence, one.theirs_pence, one.effect_pence)
            if is_other:  # it came back, or is not what was explained
                row.gone_at, row.found_at = None, now
                row.resolved_at, row.resolved_by, row.resolution = None, "", ""
                again += 1
            changed.append(row)
        row.ours_pence, row.theirs_pence, row.effect_pence = one.ours_pence, one.theirs_pence, one.effect_pence
        row.note, row.booking_reference = one.note[:300], one.booking_reference
    gone = [row for row in known.values() if row.gone_at is None]
    for row in gone:
        row.gone_at = now
    ReconciliationException.objects.bulk_create(new, batch_size=500)
    fields = (
        "ours_pence effect_pence theirs_pence note booking_reference found_at gone_at "
        "resolved_at resolved_by resolution"
    )
    ReconciliationException.objects.bulk_update([*changed, *gone], fields.split(), batch_size=500)
    return len(new) + again


def _status(run: ReconciliationRun) -> RunStatus:
    standing = ReconciliationException.objects.filter(run=run, gone_at__isnull=True)
    told = standing.aggregate(all=Count("pk"), open=Count("pk", filter=Q(resolved_at__isnull=True)))
    if told["open"]:
        return RunStatus.EXCEPTIONS
    return RunStatus.EXPLAINED if told["all"] else RunStatus.GREEN


def _count(run: ReconciliationRun, totals: dict[str, tuple[int, int, int]]) -> None:
    def pence(*kinds: str) -> int:
        return sum(totals[kind][1] for kind in kinds if kind in totals)

    run.transactions = sum(count for count, _, _ in totals.values())
    run.fees_pence = sum(fees for _, _, fees in totals.values()) - pence("FEE")
    run.payments_pence = pence("CHARGE")
    run.refunds_pence = pence("REFUND", "REFUND_IN")
    run.disputes_pence = pence("DISPUTE")
    run.payouts_pence = pence("PAYOUT", "PAYOUT_IN")
    run.other_pence = pence("OTHER")
