"""The record: events in words, who looked at what, the seals over both and over history, and proofs of retention.

No row here refers to another app's row by a foreign key: the record outlives what it speaks of.
"""

import pgtrigger
import simple_history
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GistIndex
from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from audit.fields import SpansField
from audit.history import RETENTION_ROLE, History, append_only
from common.triggers import Unskippable

# accounts stands below audit and cannot import it. A password is a secret even when hashed, and the last sign-in is
# an event, not a change of the person.
simple_history.register(
    User,
    app="audit",
    records_class=History,
    excluded_fields=["password", "last_login"],
)


class AuditEvent(models.Model):
    """Something that was done, in words, written in the transaction that did it."""

    id = models.BigAutoField(primary_key=True)
    occurred_at = models.DateTimeField(help_text="when it was done, as the service was told")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False, help_text="the database's clock")
    actor = models.TextField(help_text="who did it, as staff:7")
    on_behalf_of = models.TextField(default="", blank=True)
    action = models.CharField(max_length=60, help_text="a dotted verb, as booking.confirmed")
    subject = models.TextField(default="", blank=True, help_text="what it was done to, as booking:17")
    referral_key = models.CharField(max_length=30, default="", blank=True, help_text="as 46/46DEMO0001")
    words = models.TextField(help_text="one sentence a member of staff understands; no special-category data")
    reason = models.TextField(default="", blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["referral_key", "id"], name="audit_event_referral", condition=~models.Q(referral_key="")
            ),
            models.Index("subject", "id", name="audit_event_subject", condition=~models.Q(subject="")),
            BrinIndex(fields=["occurred_at"], name="audit_event_occurred"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return self.words


class AccessLog(models.Model):
    """Somebody opened a record of a person, or tried to and was refused."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.TextField()
    action = models.CharField(max_length=60, help_text="a dotted verb, as referral.opened")
    subject = models.TextField(default="", blank=True)
    referral_key = models.CharField(max_length=30, default="", blank=True)
    address = models.GenericIPAddressField(null=True, blank=True, help_text="where from; empty for a command or a job")
    reason = models.TextField(default="", blank=True, help_text="why, where it was asked")
    allowed = models.BooleanField(default=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        verbose_name_plural = "access log"
        indexes = [
            models.Index(
                fields=["referral_key", "id"], name="audit_access_referral", condition=~models.Q(referral_key="")
            ),
            models.Index(fields=["actor", "id"], name="audit_access_actor"),
            BrinIndex(fields=["at"], name="audit_access_at"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.subject or self.referral_key}"


class SealLayout(models.Model):
    """The columns a table had when rows of it were sealed, so that a later column does not break an older seal."""

    table = models.TextField()
    columns = ArrayField(models.TextField(), help_text="in the order in which they were digested; the key is first")

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["table", "columns"], name="audit_layout_once")]
        triggers = [append_only(retention=False)]

    def __str__(self) -> str:
        return f"{self.table} ({len(self.columns)} columns)"


class Seal(models.Model):
    """One link of the chain: covers the rows of the record written since the link before, through its ranges.

    `digest` is SHA-256 over the previous link's digest, this link's own values and its ranges; see `audit.sealing`.
    """

    id = models.BigAutoField(primary_key=True)
    sealed_at = models.DateTimeField()
    rows = models.PositiveBigIntegerField()
    previous = models.BinaryField(help_text="the digest of the link before; empty in the first")
    digest = models.BinaryField()
    cluster = models.BigIntegerField(help_text="the database server's identity: transaction numbers are its own")
    horizon = models.BigIntegerField(help_text="all transactions below had ended before the rows were read")
    next_xid = models.BigIntegerField(help_text="no transaction from here on had begun when the rows were read")

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            # Two sealers can never both follow the same link.
            models.UniqueConstraint(fields=["previous"], name="audit_seal_chain_never_forks"),
            models.CheckConstraint(condition=models.Q(rows__gt=0), name="audit_seal_covers_something"),
        ]
        triggers = [append_only(retention=False)]

    def __str__(self) -> str:
        return f"Seal {self.pk}"


class SealedRange(models.Model):
    """The rows of one table that one seal covers."""

    id = models.BigAutoField(primary_key=True)
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="ranges")
    layout = models.ForeignKey(SealLayout, on_delete=models.PROTECT, related_name="+")
    table = models.TextField()
    covers = SpansField(help_text="exactly the ids it covers; ids of transactions under way come in a later seal")
    reach = models.BigIntegerField(help_text="the highest id of the table that this or an earlier seal covers")
    rows = models.PositiveBigIntegerField()
    digest = models.BinaryField(help_text="SHA-256 over the rows' own SHA-256, in order of id")

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["table", "seal"], name="audit_range_once_a_seal")]
        indexes = [GistIndex(fields=["covers"], name="audit_range_covers")]
        triggers = [append_only(retention=False)]

    def __str__(self) -> str:
        return f"{self.rows} of {self.table}"


class RetentionProof(models.Model):
    """One row of the record that the retention role masked or removed: what was done and why, never what it said."""

    class Action(models.TextChoices):
        MASKED = "MASKED", "Masked"
        REMOVED = "REMOVED", "Removed"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    table = models.TextField()
    row_id = models.BigIntegerField()
    action = models.CharField(max_length=7, choices=Action)
    columns = ArrayField(models.TextField(), default=list, help_text="the columns that were masked")
    basis = models.TextField(help_text="the rule it was done under")
    actor = models.TextField(default="", db_default="")
    digest_before = models.BinaryField(help_text="SHA-256 of the row as sealed")
    digest_after = models.BinaryField(null=True, help_text="SHA-256 of the masked row; empty where it was removed")

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["table", "row_id"], name="audit_proof_row")]
        triggers = [
            append_only(retention=False),
            Unskippable(
                name="retention_alone",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""IF current_user = '{RETENTION_ROLE}' THEN RETURN NULL; END IF;
                    RAISE EXCEPTION 'only the functions of {RETENTION_ROLE} leave proofs'
                        USING ERRCODE = 'integrity_constraint_violation';""",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id} {self.get_action_display().lower()}"
