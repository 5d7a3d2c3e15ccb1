"""Which constraint the database named when it refused, as the error a person understands."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from common.errors import PortalError
from courses.errors import CapacityError, NoPlaceLeftError, NotLicensedError, RoomBusyError, TrainerBusyError

_MEANING: dict[str, PortalError] = {
    "courses_session_one_per_room": RoomBusyError(),
    "courses_trainer_one_session_at_once": TrainerBusyError(),
    "courses_assignment_licensed": NotLicensedError(),
    "courses_assignment_adi": NotLicensedError("This trainer has no valid ADI registration on that day."),
}
NO_PLACE_LEFT = {"courses_session_not_oversold": NoPlaceLeftError()}
TOO_SMALL = {"courses_session_not_oversold": CapacityError("More places than that are already held or taken.")}


@contextmanager
def told_apart(also: Mapping[str, PortalError] | None = None) -> Iterator[None]:
    """A savepoint in which a violated constraint becomes its typed error; one we do not know stays as it is."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        meant = (also or {}).get(name) or _MEANING.get(name)
        if meant is None:
            raise
        raise type(meant)(meant.message) from error
