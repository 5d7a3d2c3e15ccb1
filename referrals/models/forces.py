"""Forces, who may act for them, and the one place where a query is bound to a force."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from audit.history import History
from common.triggers import kept_while_named
from referrals.constants import TokenScope


class Force(models.Model):
    """A police force. Its two digits are text and its key: 46 is Kent."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=60, unique=True)
    contact_email = models.EmailField(blank=True, help_text="where receipts and returns are announced")
    is_active = models.BooleanField(default=True)

    history = History()

    class Meta:
        ordering = ["code"]
        triggers = [kept_while_named("code", by="referrals_referral.force_id")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def full_name(self) -> str:
        """As a letter names it: "Kent Police", "Metropolitan Police"."""
        return self.name if self.name.endswith("Police") else f"{self.name} Police"


class Officer(models.Model):
    """Ties a police sign-in to the one force whose records it may see."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="officer")
    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="officers")

    history = History()

    def __str__(self) -> str:
        return f"{self.user} of {self.force}"


class ForceQuerySet(models.QuerySet):
    """The one place where a query is bound to a force: police pages and the API must begin with `of_force`."""

    def of_force(self, force: Force | str) -> "ForceQuerySet":
        """Only what is of this force, given as itself or by its code."""
        return self.filter(force_id=force.pk if isinstance(force, Force) else force)


class ForceToken(models.Model):
    """A key by which a force's system uses the API. The token itself is shown once and never stored."""

    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=60, help_text="which system uses it")
    digest = models.BinaryField(max_length=32, unique=True, help_text="keyed hash of the token")
    scopes = ArrayField(models.CharField(max_length=20, choices=TokenScope), help_text="what it may do")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ForceQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["force", "-created_at"]

    def __str__(self) -> str:
        return f"{self.name} of {self.force_id}"
