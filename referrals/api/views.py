"""Batches, referrals and outcomes, for forces' systems."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from referrals import selectors, services
from referrals.api import examples
from referrals.api.base import ForceView
from referrals.api.problems import ShallowJSONParser, TableRenderer
from referrals.api.serializers import (
    AcceptedSerializer,
    AcknowledgedSerializer,
    AcknowledgeSerializer,
    ExtendSerializer,
    OutcomesQuerySerializer,
    OutcomesSerializer,
    ProblemSerializer,
    ReceiptSerializer,
    ReferralSerializer,
    RowSerializer,
    RowsQuerySerializer,
    RowsSerializer,
    UploadSerializer,
    WithdrawSerializer,
)
from referrals.constants import BatchStatus, TokenScope
from referrals.models import Batch, BatchRow

_OUTCOMES = 500
_LONGEST_KEY = 255
# Every operation may end like this, beside what is its own.
_ANYWHERE = (401, 403, 405, 406, 429, 500)


def _problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The problems an operation may end with, each with its example (RFC 9457)."""
    return {
        (status, "application/problem+json"): OpenApiResponse(
            ProblemSerializer,
            HTTPStatus(status).phrase,
            examples=[OpenApiExample(HTTPStatus(status).phrase, examples.PROBLEMS[status], response_only=True)],
        )
        for status in sorted({*_ANYWHERE, *statuses})
    }


_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": _LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="A text of your own, at most 255 characters: the same again with the same file does nothing twice",
)
_REFERENCE = OpenApiParameter(
    "reference",
    {"type": "string", "pattern": "^[A-Z0-9/-]{6,25}$"},
    OpenApiParameter.PATH,
    description="The force's own reference of the offer, in upper case",
)


class BatchesView(ForceView):
    """Send a file."""

    scope = TokenScope.BATCHES
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="send_batch",
        request={"multipart/form-data": UploadSerializer},
        parameters=[_KEY],
        responses={202: AcceptedSerializer, 200: AcceptedSerializer, **_problems(400, 413, 415, 422)},
        examples=examples.SEND_BATCH,
    )
    def post(self, request: Request) -> Response:
        """Take a file in line: 202, or 200 where the same bytes came before and nothing is done again."""
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > _LONGEST_KEY:
            raise ValidationError({"Idempotency-Key": [f"At most {_LONGEST_KEY} characters."]})
        file = form.validated_data["file"]
        batch, is_new = services.receive_batch(
            file=file.file,
            file_name=file.name,
            kind=form.validated_data["kind"],
            force=self.force,
            by=self.by,
            now=self.now,
            receipt_email=self.force.contact_email,
            key=key,
        )
        return Response({"id": str(batch.pk), **_told(batch)}, status=202 if is_new else 200)


def _told(batch: Batch) -> dict[str, Any]:
    """A batch's receipt, and why it was refused if it was."""
    receipt = selectors.receipt(batch)
    return receipt | {"refused": batch.refusal} if batch.status == BatchStatus.REFUSED else receipt


class BatchView(ForceView):
    """One batch."""

    scope = TokenScope.BATCHES

    @extend_schema(
        operation_id="batch",
        responses={200: ReceiptSerializer, **_problems(404)},
        examples=examples.BATCH,
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        """Return the receipt as far as it goes."""
        return Response(_told(selectors.batch_of_force(force=self.force, batch_id=batch_id)))


class RowPages(CursorPagination):
    """Pages of rows by their numbers."""

    ordering = "number"
    page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """As DRF's, but a place that is no number of a row is as unknown as a cursor that cannot be read."""
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                int(cursor.position)
            except ValueError as error:
                raise NotFound(self.invalid_cursor_message) from error
        return cursor


class RowsView(ForceView):
    """The rows of a batch."""

    scope = TokenScope.BATCHES

    @extend_schema(
        operation_id="batch_rows",
        parameters=[RowsQuerySerializer, OpenApiParameter("cursor", OpenApiTypes.STR)],
        responses={200: RowsSerializer, **_problems(404, 422)},
        examples=examples.ROWS,
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        """Return a page of rows, of one state or all, with the addresses of the pages around it."""
        query = RowsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        batch = selectors.batch_of_force(force=self.force, batch_id=batch_id)
        rows: QuerySet[BatchRow] = BatchRow.objects.filter(batch=batch).defer("cells_encrypted")
        if state := query.validated_data.get("state"):
            rows = rows.filter(state=state)
        pages = RowPages()
        page = pages.paginate_queryset(rows, request, view=self)
        self.log("batch.rows_read", subject=f"batch:{batch.pk}")
        return pages.get_paginated_response(RowSerializer(page, many=True).data)


class RejectedView(ForceView):
    """`rejected.csv`."""

    scope = TokenScope.BATCHES
    renderer_classes = (JSONRenderer, TableRenderer)

    @extend_schema(
        operation_id="batch_rejected",
        parameters=[OpenApiParameter("format", exclude=True)],  # there is one format, whatever is asked for
        responses={(200, "text/csv"): OpenApiTypes.STR, **_problems(404)},
        examples=examples.REJECTED,
    )
    def get(self, request: Request, batch_id: UUID) -> StreamingHttpResponse:
        """Return the rejected rows with their errors, to be mended and sent again as they are."""
        batch = selectors.batch_of_force(force=self.force, batch_id=batch_id)
        self.log("batch.rejected_rows_read", subject=f"batch:{batch.pk}")
        response = StreamingHttpResponse(selectors.rejected_file(batch), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="rejected.csv"'
        return response


class ReferralView(ForceView):
    """One referral."""

    scope = TokenScope.REFERRALS

    @extend_schema(
        operation_id="referral",
        parameters=[_REFERENCE],
        responses={200: ReferralSerializer, **_problems(404)},
        examples=examples.REFERRAL,
    )
    def get(self, request: Request, reference: str) -> Response:
        """Return a referral of the force as it is now."""
        referral = selectors.referral_of_force(force=self.force, reference=reference)
        self.log("referral.opened", referral_key=referral.key, subject=f"referral:{referral.pk}")
        return Response(ReferralSerializer(referral).data)


class WithdrawView(ForceView):
    """Withdraw a referral."""

    scope = TokenScope.REFERRALS
    parser_classes = (ShallowJSONParser,)

    @extend_schema(
        operation_id="withdraw_referral",
        parameters=[_REFERENCE],
        request=WithdrawSerializer,
        responses={200: ReferralSerializer, **_problems(400, 404, 409, 415, 422)},
        examples=examples.WITHDRAW,
    )
    def post(self, request: Request, reference: str) -> Response:
        """Take the offer back for good; the same again changes nothing, and for another reason is refused."""
        form = WithdrawSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.withdraw(
            force_code=self.force.pk,
            reference=reference,
            reason=form.validated_data["reason"],
            effective_at=form.validated_data["effective_at"],
            received_at=self.now,
            by=self.by,
            now=self.now,
        )
        referral = selectors.referral_of_force(force=self.force, reference=reference)
        return Response(ReferralSerializer(referral).data)


class ExtendView(ForceView):
    """Extend a referral."""

    scope = TokenScope.REFERRALS
    parser_classes = (ShallowJSONParser,)

    @extend_schema(
        operation_id="extend_referral",
        parameters=[_REFERENCE],
        request=ExtendSerializer,
        responses={200: ReferralSerializer, **_problems(400, 404, 409, 415, 422)},
        examples=examples.EXTEND,
    )
    def post(self, request: Request, reference: str) -> Response:
        """Move complete by to a later day; the same day again changes nothing."""
        form = ExtendSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.extend(
            force_code=self.force.pk,
            reference=reference,
            complete_by=form.validated_data["complete_by"],
            evidence=form.validated_data["evidence"],
            by=self.by,
            now=self.now,
        )
        referral = selectors.referral_of_force(force=self.force, reference=reference)
        return Response(ReferralSerializer(referral).data)


class OutcomesView(ForceView):
    """Outcomes for the force."""

    scope = TokenScope.OUTCOMES

    @extend_schema(
        operation_id="outcomes",
        parameters=[OutcomesQuerySerializer],
        responses={200: OutcomesSerializer, **_problems(422)},
        examples=examples.OUTCOMES,
    )
    def get(self, request: Request) -> Response:
        """Return the outcomes after a sequence, at most 500 at once."""
        query = OutcomesQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        after = query.validated_data["after"]
        outcomes = services.give_out(force=self.force, after=after, limit=_OUTCOMES, now=self.now)
        following = outcomes[-1].sequence if len(outcomes) == _OUTCOMES else None
        return Response(OutcomesSerializer({"next": following, "results": outcomes}).data)


class AcknowledgeView(ForceView):
    """Acknowledge outcomes."""

    scope = TokenScope.OUTCOMES
    parser_classes = (ShallowJSONParser,)

    @extend_schema(
        operation_id="acknowledge_outcomes",
        request=AcknowledgeSerializer,
        responses={200: AcknowledgedSerializer, **_problems(400, 415, 422)},
        examples=examples.ACKNOWLEDGE,
    )
    def post(self, request: Request) -> Response:
        """Say that everything up to a sequence has arrived: it never comes again."""
        form = AcknowledgeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        up_to = form.validated_data["up_to"]
        acknowledged = services.acknowledge(force=self.force, up_to=up_to, by=self.by, now=self.now)
        return Response({"acknowledged": acknowledged})
