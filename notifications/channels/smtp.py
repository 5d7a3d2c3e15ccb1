"""E-mail by our own mail server."""

import hashlib
import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from notifications.channels.letter import Letter
from notifications.errors import TryAgainError, UndeliverableError


def message_id(identity: str) -> str:
    """A Message-ID that is the same each time the same message is tried."""
    digest = hashlib.sha256(identity.encode()).hexdigest()[:40]
    return f"<{digest}@{urlsplit(settings.SITE_URL).hostname}>"


def send_email(letter: Letter) -> None:
    """Hand one e-mail to the mail server.

    Raises TryAgainError when the server is away, busy or answers 4xx, UndeliverableError when it answers 5xx for
    this address or message.
    """
    mail = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        to=[letter.to],
        headers={"Message-ID": message_id(letter.identity), "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(letter.html, "text/html")
    for attachment in letter.attachments:
        mail.attach(attachment["name"], attachment["text"], attachment["content_type"])
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code = min((answer[0] for answer in error.recipients.values()), default=550)
        if code >= 500:
            raise UndeliverableError(f"the mail server refused the address ({code})") from error
        raise TryAgainError(f"the mail server put the address off ({code})") from error
    except smtplib.SMTPResponseException as error:
        # A refused sign-in is ours to mend, not the message's fault.
        if error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError):
            raise UndeliverableError(f"the mail server refused the message ({error.smtp_code})") from error
        raise TryAgainError(f"the mail server answered {error.smtp_code}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise TryAgainError(f"the mail server cannot be reached ({type(error).__name__})") from error
