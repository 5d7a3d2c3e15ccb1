"""What staff fill in about messages."""

from typing import Any

from django import forms

from notifications.constants import Channel
from notifications.rules import Words


class WordsForm(forms.Form):
    """The words of one message. Whether they are fit to be sent is the service's to say."""

    subject = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"size": 90}))
    body = forms.CharField(label="Text", widget=forms.Textarea(attrs={"rows": 18, "cols": 90}), strip=False)
    html = forms.CharField(label="HTML", widget=forms.Textarea(attrs={"rows": 18, "cols": 90}), strip=False)
    instead_of = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, channel: Channel, **kwargs: Any) -> None:
        """A text message has a body alone."""
        super().__init__(*args, **kwargs)
        if channel == Channel.SMS:
            del self.fields["subject"], self.fields["html"]

    def words(self) -> Words:
        """The words filled in, valid or not."""
        values = self.cleaned_data
        return Words(
            subject=values.get("subject", ""),
            body=values.get("body", "").replace("\r\n", "\n"),
            html=values.get("html", "").replace("\r\n", "\n"),
        )


class SendAgainForm(forms.Form):
    """Where to send again what could not be delivered."""

    to = forms.CharField(label="Send to", max_length=254)


class ToldForm(forms.Form):
    """How somebody was told who could not be written to."""

    note = forms.CharField(
        label="Told by phone",
        max_length=300,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text="When, and by whom. Not what was said.",
    )
