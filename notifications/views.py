"""GOV.UK Notify's door."""

import json
from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from audit.context import Actor, acting
from common import clock
from notifications import services
from notifications.errors import NotYetSentError

# A receipt is half a kilobyte.
LARGEST_RECEIPT_BYTES = 16 * 1024


@csrf_exempt  # Notify shows its token; it has no session to forge a request in
@require_POST
def notify_receipt(request: HttpRequest) -> HttpResponse:
    """Take in a delivery receipt: 204, also for one we know or whose message we do not; 503 asks for it again."""
    token = settings.NOTIFY_CALLBACK_TOKEN
    shown = request.headers.get("Authorization", "")
    if not token or not compare_digest(shown.encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=401)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_RECEIPT_BYTES:
        return HttpResponse(status=413)
    try:
        receipt = json.loads(request.body)
        provider_id, reference, status = (str(receipt.get(name) or "") for name in ("id", "reference", "status"))
    except (ValueError, AttributeError):
        return HttpResponse(status=400)
    try:
        with acting(Actor("job", "notify_receipt")):
            services.record_receipt(provider_id=provider_id, reference=reference, status=status, now=clock.now())
    except NotYetSentError as error:
        return HttpResponse(status=error.status)
    return HttpResponse(status=204)
