"""What is owed to the forces and to UKROEd, month by month, as it was issued; and what courses cost KCC."""

from django.db import models
from django.db.models import F, Q

from audit.history import History, append_only
from payments import triggers
from payments.constants import CostKind, Payee, StatementLineKind


class Statement(models.Model):
    """What fell due to a force or to UKROEd in a month, frozen when it was issued. A later fact is on the next one."""

    month = models.DateField(help_text="its first day")
    payee = models.CharField(max_length=6, choices=Payee)
    force_code = models.CharField(max_length=2, blank=True, help_text="whose; empty for UKROEd")
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=80)
    completed = models.PositiveIntegerField(help_text="courses completed in the month")
    completed_pence = models.BigIntegerField()
    corrections = models.PositiveIntegerField(help_text="facts learnt late, and completions undone")
    corrections_pence = models.BigIntegerField()
    total_pence = models.BigIntegerField(help_text="what is to be paid; below nought it is owed to KCC")

    class Meta:
        ordering = ["-month", "payee", "force_code"]
        constraints = [
            models.UniqueConstraint(fields=["month", "force_code"], name="payments_statement_once"),
            models.CheckConstraint(name="payments_statement_of_a_month", condition=Q(month__day=1)),
            models.CheckConstraint(
                name="payments_statement_payee",
                condition=Q(payee=Payee.UKROED, force_code="") | Q(payee=Payee.FORCE) & ~Q(force_code=""),
            ),
            models.CheckConstraint(
                name="payments_statement_total",
                condition=Q(total_pence=F("completed_pence") + F("corrections_pence")),
            ),
        ]
        triggers = [append_only(retention=False)]

    def __str__(self) -> str:
        return f"Statement {self.number}"

    @property
    def number(self) -> str:
        """How letters and the finance system name it: "2027-04-46", "2027-04-UKROED"."""
        return f"{self.month:%Y-%m}-{self.force_code or self.payee}"


class StatementLine(models.Model):
    """A posting on a statement. Each posting of what is owed to others is on one statement at most."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    posting = models.OneToOneField("payments.Posting", on_delete=models.PROTECT, related_name="statement_line")
    kind = models.CharField(max_length=10, choices=StatementLineKind)
    occurred_at = models.DateTimeField()
    booking_reference = models.CharField(max_length=14)
    amount_pence = models.IntegerField(help_text="owed by us; below nought it was undone")

    class Meta:
        ordering = ["pk"]
        triggers = [append_only(retention=False), triggers.statement_adds_up]

    def __str__(self) -> str:
        return f"{self.booking_reference} {self.amount_pence}"


class StatementPayment(models.Model):
    """That a statement was paid, once, and from the bank's books: with its journal."""

    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, related_name="payment")
    journal = models.OneToOneField("payments.Journal", on_delete=models.PROTECT, related_name="+")
    paid_on = models.DateField(help_text="London day on which the bank paid")
    reference = models.CharField(max_length=60, help_text="the bank's or the finance system's")
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=80)

    class Meta:
        triggers = [append_only(retention=False)]

    def __str__(self) -> str:
        return f"{self.statement} paid on {self.paid_on}"


class Cost(models.Model):
    """What the service cost KCC in a month, as finance entered it. A mistake is corrected by an entry below nought."""

    month = models.DateField(help_text="its first day")
    kind = models.CharField(max_length=9, choices=CostKind)
    amount_pence = models.IntegerField(help_text="below nought for a correction")
    note = models.CharField(max_length=200)
    entered_at = models.DateTimeField()
    entered_by = models.CharField(max_length=80)

    history = History()

    class Meta:
        ordering = ["-month", "kind", "pk"]
        constraints = [
            models.CheckConstraint(name="payments_cost_of_a_month", condition=Q(month__day=1)),
            models.CheckConstraint(name="payments_cost_not_nothing", condition=~Q(amount_pence=0)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.month:%Y-%m}"
