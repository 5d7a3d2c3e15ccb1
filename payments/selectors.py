"""Reading money: the fee of a day, a charge's story, and the ledger's balances."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, F, Max, Min, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum

from common.clock import end_of_london_day, london_day, start_of_london_day
from common.prepared import Prepared
from courses.models import CourseVersion
from payments.constants import PENDING_ATTEMPTS, RUNS_NOT_ENDED, Account, CostKind, EventStatus
from payments.errors import NoFeeError
from payments.models import (
    Attempt,
    Charge,
    Cost,
    FeeSchedule,
    Journal,
    Payout,
    Posting,
    ReconciliationException,
    ReconciliationRun,
    Refund,
    Statement,
    StatementLine,
    StripeEvent,
)

LATELY = dt.timedelta(days=90)


_FEE = Prepared(
    lambda blank: FeeSchedule.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=blank("on")),
        Q(force=None) | Q(force_id=blank("force_code")),
        course_type_id=blank("course_type_id"),
        mode=blank("mode"),
        valid_from__lte=blank("on"),
    ).order_by(F("force").asc(nulls_last=True))[:1]
)


def fee_on(*, course_type_id: int, mode: str, force_code: str, on: dt.date) -> FeeSchedule:
    """The fee of a course type in a mode for a booking of a force's offer made on a London day.

    The force's own where it has one, else the one for all. Raises NoFeeError.
    """
    fee = _FEE.first(course_type_id=course_type_id, mode=mode, force_code=force_code, on=on)
    if fee is None:
        raise NoFeeError
    return fee


_FEES = Prepared(
    lambda blank: (
        FeeSchedule.objects.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gte=blank("on")),
            Q(force=None) | Q(force_id=blank("force_code")),
            Exists(
                CourseVersion.objects.filter(
                    course_type=OuterRef("course_type"), mode=OuterRef("mode"), valid_to__isnull=True
                )
            ),
            course_type_id=blank("course_type_id"),
            valid_from__lte=blank("on"),
        )
        .order_by("mode", F("force").asc(nulls_last=True))
        .distinct("mode")
    )
)


def fees_on(*, course_type_id: int, force_code: str, on: dt.date) -> list[FeeSchedule]:
    """As `fee_on`, for each mode that a course type is given in. One query."""
    return _FEES.all(course_type_id=course_type_id, force_code=force_code, on=on)


def forces_with_own_fee(*, course_type_id: int, mode: str, on: dt.date) -> list[FeeSchedule]:
    """The fees of single forces for a course type in a mode on a London day, by force."""
    own = FeeSchedule.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=on), force__isnull=False)
    own = own.filter(course_type_id=course_type_id, mode=mode, valid_from__lte=on)
    return list(own.select_related("force").order_by("force"))


def charges_of(booking_reference: str) -> QuerySet[Charge]:
    """All charges of a booking, oldest first, with their attempts and refunds in three queries."""
    return (
        Charge.objects.filter(booking_reference=booking_reference)
        .order_by("pk")
        .prefetch_related(
            Prefetch("attempts", Attempt.objects.order_by("pk")), Prefetch("refunds", Refund.objects.order_by("pk"))
        )
    )


def asked_above(*, over_pence: int, since: dt.datetime) -> int:
    """How many refunds were asked for by hand above an amount since an instant."""
    by_hand = Refund.objects.filter(requested_by__startswith="staff:", requested_at__gte=since)
    return by_hand.filter(amount_pence__gt=over_pence).count()


def has_pending_attempt(charge_id: int) -> bool:
    """Whether somebody may be on Stripe's page for this charge at this moment."""
    return Attempt.objects.filter(charge_id=charge_id, status__in=PENDING_ATTEMPTS).exists()


def journals_of(booking_reference: str) -> QuerySet[Journal]:
    """The ledger's entries about a booking, oldest first, with their postings in two queries."""
    return (
        Journal.objects.filter(booking_reference=booking_reference)
        .order_by("pk")
        .prefetch_related(Prefetch("postings", Posting.objects.order_by("pk")))
    )


@dataclass(frozen=True, slots=True)
class Balance:
    """One line of the trial balance: `pence` is the account's balance, debit positive."""

    account: str
    force_code: str
    debit_pence: int
    credit_pence: int

    @property
    def account_name(self) -> str:
        """The account's name for people."""
        return str(Account(self.account).label)

    @property
    def pence(self) -> int:
        """Debits less credits."""
        return self.debit_pence - self.credit_pence


def trial_balance(*, day: dt.date) -> list[Balance]:
    """Every account's debits and credits up to the end of a London day, in one query. They add up to the same sum.

    A day of the past stays as it was: entries count by when their fact happened, and are never changed. (A fact learnt
    late is booked under its own day; `recorded_at` says when we knew.)
    """
    rows = (
        Posting.objects.filter(journal__occurred_at__lt=end_of_london_day(day))
        .values("account", "force_code")
        .annotate(
            debit=Sum("amount_pence", filter=Q(amount_pence__gt=0), default=0),
            credit=Sum("amount_pence", filter=Q(amount_pence__lt=0), default=0),
        )
        .order_by("account", "force_code")
    )
    return [Balance(row["account"], row["force_code"], row["debit"], -row["credit"]) for row in rows]


def open_exceptions(run: ReconciliationRun) -> list[ReconciliationException]:
    """What of a day does not agree and nobody has explained, in a steady order."""
    found = ReconciliationException.objects.filter(run=run, gone_at__isnull=True, resolved_at__isnull=True)
    return list(found.order_by("kind", "subject"))


def exceptions_of(run: ReconciliationRun) -> QuerySet[ReconciliationException]:
    """All differences of a day, those to be explained first, each with the `charge_id` of its booking's payment."""
    charge = Charge.objects.filter(booking_reference=OuterRef("booking_reference")).exclude(booking_reference="")
    return (
        ReconciliationException.objects.filter(run=run)
        .annotate(charge_id=Subquery(charge.order_by("pk").values("pk")[:1]))
        .order_by(F("gone_at").asc(nulls_first=True), F("resolved_at").asc(nulls_first=True), "kind", "subject")
    )


def payouts_on(day: dt.date) -> QuerySet[Payout]:
    """Payouts that Stripe began on a London day."""
    return Payout.objects.filter(
        created_at__gte=start_of_london_day(day), created_at__lt=end_of_london_day(day)
    ).order_by("pk")


def oldest_parked_event_at() -> dt.datetime | None:
    """Since when the oldest parked webhook has waited for a person; None when none does."""
    parked = StripeEvent.objects.filter(status=EventStatus.PARKED)
    first: dt.datetime | None = parked.aggregate(first=Min("received_at"))["first"]
    return first


def last_reconciled_day() -> dt.date | None:
    """The latest London day that was compared with Stripe; None before the first."""
    done = ReconciliationRun.objects.exclude(status__in=RUNS_NOT_ENDED)
    last: dt.date | None = done.aggregate(last=Max("day"))["last"]
    return last


def oldest_unprocessed_event_at() -> dt.datetime | None:
    """Since when the oldest webhook has waited to be looked into; None when none waits."""
    waiting = StripeEvent.objects.filter(status=EventStatus.RECEIVED)
    first: dt.datetime | None = waiting.aggregate(first=Min("received_at"))["first"]
    return first


# --- Statements ------------------------------------------------------------------------------------------------
OWED = (Account.POLICE_PAYABLE, Account.LEVY_PAYABLE)
INCOME = (Account.COURSE_INCOME, Account.MOVE_INCOME, Account.REFUNDS, Account.STRIPE_FEES)


def first_month_to_issue() -> dt.date | None:
    """The month after the last one with statements, else that of the first posting owed to others, if any."""
    last: dt.date | None = Statement.objects.aggregate(month=Max("month"))["month"]
    if last is not None:
        return (last + dt.timedelta(days=31)).replace(day=1)
    first = Posting.objects.filter(account__in=OWED).aggregate(at=Min("journal__occurred_at"))["at"]
    return london_day(first).replace(day=1) if first else None


def statement_lines(statement: Statement) -> QuerySet[StatementLine]:
    """A statement's lines as they were issued."""
    return StatementLine.objects.filter(statement=statement).order_by("pk")


@dataclass(frozen=True, slots=True)
class Surplus:
    """Income less costs of some months. Income is positive; what lessens it, costs among it, is negative.

    `disputed_pence` is what banks held at the end with no verdict yet: neither refunded nor lost, so in no sum.
    """

    income: list[tuple[str, int]]
    costs: list[tuple[str, int]]
    disputed_pence: int

    @property
    def income_pence(self) -> int:
        """What the fees left after refunds, lost disputes and Stripe's fees."""
        return sum(pence for _, pence in self.income)

    @property
    def costs_pence(self) -> int:
        """What was entered."""
        return sum(pence for _, pence in self.costs)

    @property
    def pence(self) -> int:
        """What is reinvested in road safety (Road Traffic Offenders Act 1988 s.90G); below nought: a loss."""
        return self.income_pence + self.costs_pence


def surplus(*, first: dt.date, last: dt.date) -> Surplus:
    """Income from the ledger less the costs entered, over the months of two London days. Three queries."""
    first, after = first.replace(day=1), (last.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
    posted = Posting.objects.filter(
        account__in=INCOME,
        journal__occurred_at__gte=start_of_london_day(first),
        journal__occurred_at__lt=start_of_london_day(after),
    )
    by_account = dict(posted.values_list("account").annotate(pence=Sum("amount_pence")))
    disputed = Posting.objects.filter(account=Account.DISPUTES, journal__occurred_at__lt=start_of_london_day(after))
    entered = Cost.objects.filter(month__gte=first, month__lt=after)
    by_kind = dict(entered.order_by().values_list("kind").annotate(pence=Sum("amount_pence")))
    return Surplus(
        income=[(str(account.label), -by_account.get(account, 0)) for account in INCOME],
        costs=[(str(kind.label), -by_kind.get(kind, 0)) for kind in CostKind],
        disputed_pence=disputed.aggregate(pence=Sum("amount_pence", default=0))["pence"],
    )
