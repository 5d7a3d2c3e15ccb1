"""The demo's mailbox: every message that would have gone out."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from devtools import mailbox as box

SHOWN = 100


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """The newest messages first."""
    return render(request, "devtools/mailbox.html", {"letters": list(box.newest(SHOWN)), "shown": SHOWN})


@require_safe
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """One message, as text."""
    found = box.letter(name)
    if found is None:
        raise Http404
    return render(request, "devtools/letter.html", {"letter": found})


@require_safe
def attachment(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One attachment of a message, always as a download."""
    found = box.letter(name)
    if found is None or number >= len(found.attachments):
        raise Http404
    file_name, content_type, content = found.attachments[number]
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"', "X-Content-Type-Options": "nosniff"},
    )
