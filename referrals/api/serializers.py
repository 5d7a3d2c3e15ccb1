"""The shapes of what goes in and out."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from referrals.constants import BatchKind, OutcomeCode, ReferralStatus, RowState, WithdrawalReason
from referrals.models import BatchRow, Outcome, Referral


class UploadSerializer(serializers.Serializer):
    """A file and what it holds."""

    file = serializers.FileField(allow_empty_file=True, max_length=200)
    kind = serializers.ChoiceField(choices=BatchKind.choices)


class ReceiptSerializer(serializers.Serializer):
    """A receipt. `settled_at` is null while the batch runs; `refused` says why a file was refused as a whole."""

    batch = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=BatchKind.choices)
    force = serializers.CharField()
    sha256 = serializers.CharField()
    file_name = serializers.CharField()
    received_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    rows = serializers.IntegerField()
    new = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    changed = serializers.IntegerField()
    rejected = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    warnings = serializers.IntegerField()
    refused = serializers.CharField(required=False)


class AcceptedSerializer(ReceiptSerializer):
    """The receipt of a batch just taken, with the id to ask for it."""

    id = serializers.UUIDField()


class ProblemOfRowSerializer(serializers.Serializer):
    """One thing the matter with one cell of a row."""

    row = serializers.IntegerField()
    column = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    value = serializers.CharField()


class RowSerializer(serializers.ModelSerializer[BatchRow]):
    """A row and what became of it."""

    row = serializers.IntegerField(source="number")
    state = serializers.ChoiceField(choices=RowState.choices)
    errors = ProblemOfRowSerializer(many=True)  # type: ignore[assignment]  # the name is the contract's
    warnings = ProblemOfRowSerializer(many=True)
    changes = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))

    class Meta:
        model = BatchRow
        fields = ("row", "state", "reference", "errors", "warnings", "changes", "decision")

    def to_representation(self, instance: BatchRow) -> dict[str, Any]:
        """Each error and warning names its row, as the receipt tells it."""
        return {
            "row": instance.number,
            "state": instance.state,
            "reference": instance.reference,
            "errors": [{"row": instance.number, **told} for told in instance.errors],
            "warnings": [{"row": instance.number, **told} for told in instance.warnings],
            "changes": instance.changes,
            "decision": instance.decision,
        }


class RowsSerializer(serializers.Serializer):
    """A page of rows, and the addresses of the pages around it."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = RowSerializer(many=True)


class ReferralSerializer(serializers.ModelSerializer[Referral]):
    """A referral of the force. PIN and driver number never go out."""

    force_code = serializers.CharField(source="force_id")
    course_code = serializers.CharField(source="course_type.code")
    status = serializers.ChoiceField(choices=ReferralStatus.choices)
    offer_date = serializers.DateField(source="offer_on")

    class Meta:
        model = Referral
        fields = (
            "force_code",
            "reference",
            "course_code",
            "status",
            "status_at",
            "forenames",
            "surname",
            "offence_code",
            "offence_at",
            "offer_date",
            "book_by",
            "complete_by",
            "received_at",
            "bookable_at",
        )


class WithdrawSerializer(serializers.Serializer):
    """Why an offer is taken back, and from when."""

    reason = serializers.ChoiceField(choices=WithdrawalReason.choices)
    effective_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


# Something to be read, after any spaces; read once from left to right however long it is.
_WORDS = RegexValidator(r"^[\s\x01-\x1f\x7f-\xa0]*[^\s\x00-\x1f\x7f-\xa0][^\x00]*$", "Say it in words.")


class ExtendSerializer(serializers.Serializer):
    """A later day, and what shows that police decided it."""

    complete_by = serializers.DateField()
    evidence = serializers.CharField(max_length=500, validators=[_WORDS])


class OutcomeSerializer(serializers.ModelSerializer[Outcome]):
    """One line of the outcome return."""

    force_code = serializers.CharField(source="force_id")
    reference = serializers.CharField(source="referral.reference")
    outcome = serializers.ChoiceField(choices=OutcomeCode.choices)

    class Meta:
        model = Outcome
        fields = (
            "sequence",
            "force_code",
            "reference",
            "outcome",
            "reason",
            "course_code",
            "attended_on",
            "provider_reference",
            "recorded_at",
        )


class OutcomesSerializer(serializers.Serializer):
    """Outcomes in the order of their sequence; ask again with `after` while there is a `next`."""

    next = serializers.IntegerField(allow_null=True)
    results = OutcomeSerializer(many=True)


class OutcomesQuerySerializer(serializers.Serializer):
    """After which sequence."""

    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)


class RowsQuerySerializer(serializers.Serializer):
    """Of which state; of all where it is empty."""

    state = serializers.ChoiceField(choices=RowState.choices, required=False, allow_blank=True)


class AcknowledgeSerializer(serializers.Serializer):
    """Up to which sequence the force has everything."""

    up_to = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class AcknowledgedSerializer(serializers.Serializer):
    """Up to where the force has everything now."""

    acknowledged = serializers.IntegerField()


class ProblemSerializer(serializers.Serializer):
    """An error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(required=False)
    errors = serializers.DictField(required=False)  # type: ignore[assignment]  # the name is the contract's
