"""Stripe's door."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common import clock
from payments import services
from payments.errors import WebhookRefusedError

# Stripe's events are a few kilobytes; whoever sends more is not Stripe.
LARGEST_EVENT_BYTES = 256 * 1024


@csrf_exempt  # Stripe signs what it sends; it has no session to forge a request in
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Store a signed event and say 200, whatever its type; 400 for one that cannot be believed, 413 for a flood."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_EVENT_BYTES:
        return HttpResponse(status=413)
    try:
        services.receive_webhook(
            payload=request.body, signature=request.headers.get("Stripe-Signature", ""), now=clock.now()
        )
    except WebhookRefusedError as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain")
    return HttpResponse(status=200)
