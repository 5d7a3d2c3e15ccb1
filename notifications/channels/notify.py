"""GOV.UK Notify: text messages, and e-mail where that is wished.

Notify holds templates of its own; ours have one placeholder for all of the text, so that the words stay in one place.
"""

from typing import Any

import requests
from django.conf import settings
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient

from notifications.channels.letter import Letter
from notifications.constants import Channel
from notifications.errors import TryAgainError, UndeliverableError

TIMEOUT_SECONDS = 20
FAILED = frozenset({"permanent-failure", "temporary-failure", "technical-failure", "validation-failed"})


def send_by_notify(letter: Letter) -> str:
    """Hand a message to Notify and return Notify's id of it.

    A try before this one may have reached Notify without our hearing of it: Notify is asked for our reference first.
    """
    client = NotificationsAPIClient(
        settings.NOTIFY_API_KEY, base_url=settings.NOTIFY_API_BASE, timeout=TIMEOUT_SECONDS
    )
    reference = reference_of(letter.number)
    try:
        if letter.is_repeat and (found := _sent_before(client, reference)):
            return found
        if letter.channel == Channel.SMS:
            answer = client.send_sms_notification(
                letter.to, settings.NOTIFY_SMS_TEMPLATE_ID, {"body": letter.text.strip()}, reference=reference
            )
        else:
            answer = client.send_email_notification(
                letter.to,
                settings.NOTIFY_EMAIL_TEMPLATE_ID,
                {"subject": letter.subject, "body": letter.text},
                reference=reference,
            )
    except APIError as error:
        raise _as_ours(error) from error
    except requests.RequestException as error:
        raise TryAgainError(f"Notify cannot be reached ({type(error).__name__})") from error
    return str(answer["id"])


def reference_of(number: int) -> str:
    """Our name for a message at Notify; it tells nothing of the person."""
    return f"ndors-{number}"


def _sent_before(client: Any, reference: str) -> str:
    found = client.get_all_notifications(reference=reference)["notifications"]
    return next((str(each["id"]) for each in found if each["status"] not in FAILED), "")


def _as_ours(error: APIError) -> Exception:
    """400 is the message's own fault; a bad key, a limit or an outage is not."""
    code = int(error.status_code)
    if code == requests.codes.bad_request:
        return UndeliverableError(f"Notify refused the message: {_reason(error)}"[:200])
    return TryAgainError(f"Notify answered {code}")


def _reason(error: APIError) -> str:
    """Notify's words of what is wrong; they name no person."""
    told = error.message
    if isinstance(told, list):
        return "; ".join(str(each.get("message", "")) for each in told)
    return str(told)
