"""How telling people can fail. Of the first two, the difference decides whether it is tried again."""

from collections.abc import Sequence

from common.errors import PortalError


class TryAgainError(Exception):
    """The channel is down or asks us to come back: the message keeps its turn."""


class UndeliverableError(Exception):
    """The channel will never take this message, such as an address that does not exist: a person must look."""


class NotYetSentError(PortalError):
    """A receipt that overtook the note of its sending."""

    message = "The message is still being sent."
    status = 503


class NoteNeededError(PortalError):
    """Somebody was told, and nobody says how."""

    message = "Say how and when the person was told."


class StaleWordsError(PortalError):
    """Two people edited the same words."""

    message = "Someone else published new words meanwhile. Look at theirs before you publish yours."


class UnfitWordsError(PortalError):
    """Words that cannot be sent; `problems` are sentences for who wrote them."""

    status = 422

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep what is wrong, all of it."""
        super().__init__(" ".join(problems))
        self.problems = list(problems)
