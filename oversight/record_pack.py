"""All that we hold about one booking, put together for whoever has to prove it: a bank, an auditor, the person."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string

from audit import services as audit
from audit.context import Actor
from audit.models import AuditEvent
from bookings.models import Booking
from common.clock import london, moment_words
from common.money import pounds_and_pence
from notifications.catalogue import title_of
from notifications.models import Message
from payments.selectors import charges_of
from rosters.models import Attendance

Pack = dict[str, Any]


def build(*, booking_reference: str, reason: str, by: Actor, now: dt.datetime, address: str | None) -> bytes:
    """A ZIP of `record.html`, to be read and printed, and `record.json`, the same for a program.

    What is in it: booking and course, each consent with its words, version and time, the messages sent, the payments,
    the register's mark and the story of the record. What is not: the offence, needs, and notes about the person, which
    are nobody's business in a dispute about money. Opening it is recorded. Raises Booking.DoesNotExist.
    """
    booking = Booking.objects.with_session().get(reference=booking_reference)
    audit.log_access(
        "booking.record_pack",
        by=by,
        now=now,
        referral_key=booking.referral.key,
        subject=f"booking:{booking.reference}",
        address=address,
        reason=reason,
    )
    pack = contents(booking, now=now)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("record.html", render_to_string("oversight/record_pack.html", {"pack": pack})),
            ("record.json", json.dumps(pack, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)),
        ):
            entry = zipfile.ZipInfo(name, london(now).timetuple()[:6])
            archive.writestr(entry, text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def contents(booking: Booking, *, now: dt.datetime) -> Pack:
    """What the pack says, as plain values; amounts and times in words."""
    session, referral = booking.place.session, booking.referral
    charges = list(charges_of(booking.reference).prefetch_related("disputes"))
    subjects = [f"booking:{booking.reference}", *(f"charge:{each.pk}" for each in charges)]
    theirs = {booking.email, booking.mobile, referral.email, referral.mobile} - {""}
    return {
        "made_at": moment_words(now),
        "booking": {
            "reference": booking.reference,
            "status": booking.get_status_display(),
            "name": f"{referral.forenames} {referral.surname}".strip(),
            "email": booking.email,
            "booked_at": moment_words(booking.created_at),
            "confirmed_at": _moment(booking.confirmed_at),
            "fee": pounds_and_pence(booking.fee_pence),
            "course": session.course_type.name,
            "starts": moment_words(session.starts_at),
            "ends": moment_words(session.ends_at),
            "where": session.room.venue.name if session.room else "Online, by video call",
        },
        "consents": [
            {
                "what": consent.text.get_kind_display(),
                "version": consent.text.version,
                "words": consent.text.statement,
                "given_at": moment_words(consent.given_at),
            }
            for consent in booking.consents.select_related("text").order_by("given_at", "pk")
        ],
        "payments": [_paid(charge) for charge in charges],
        "messages": list(_messages(Message.objects.filter(referral_key=referral.key, to__in=theirs).order_by("pk"))),
        "attendance": _attendance(booking),
        "story": [
            {"at": moment_words(event.occurred_at), "who": event.actor, "what": event.words}
            for event in AuditEvent.objects.filter(subject__in=subjects).order_by("pk")
        ],
    }


def _paid(charge: Any) -> Pack:
    return {
        "for": charge.get_purpose_display(),
        "amount": pounds_and_pence(charge.amount_pence),
        "status": charge.get_status_display(),
        "payments": [
            {
                "amount": pounds_and_pence(attempt.paid_pence),
                "at": _moment(attempt.paid_at),
                "card": f"{attempt.card_brand} ending {attempt.card_last4}",
                "stripe": attempt.payment_intent_id,
            }
            for attempt in charge.attempts.all()
            if attempt.paid_at is not None
        ],
        "refunds": [
            {
                "amount": pounds_and_pence(refund.amount_pence),
                "status": refund.get_status_display(),
                "at": _moment(refund.status_at),
                "why": refund.get_cause_display(),
            }
            for refund in charge.refunds.all()
        ],
        "disputes": [
            {
                "amount": pounds_and_pence(dispute.amount_pence),
                "status": dispute.get_status_display(),
                "opened_at": _moment(dispute.opened_at),
                "stripe": dispute.stripe_dispute_id,
            }
            for dispute in charge.disputes.all()
        ],
    }


def _messages(messages: Iterable[Message]) -> Iterable[Pack]:
    for message in messages:
        if message.sent_at is not None:
            yield {
                "what": title_of(message.kind),
                "channel": message.get_channel_display(),
                "to": message.to,
                "sent_at": moment_words(message.sent_at),
                "delivered_at": _moment(message.delivered_at),
                "subject": message.subject,
                "body": message.body,
            }


def _attendance(booking: Booking) -> Pack | None:
    mark = Attendance.objects.select_related("register").filter(booking=booking).first()
    if mark is None:
        return None
    return {
        "mark": mark.get_mark_display(),
        "document": mark.get_document_kind_display(),
        "marked_at": moment_words(mark.marked_at),
        "marked_by": mark.marked_by,
        "register_closed_at": _moment(mark.register.closed_at),
    }


def _moment(at: dt.datetime | None) -> str:
    return moment_words(at) if at else ""
