"""What KCC staff see and do about courses. What people may dispute is done by a service, with its reason."""

from courses.admin.catalogue import CourseTypeAdmin, CourseVersionAdmin, RoomAdmin, TrainerAdmin, VenueAdmin
from courses.admin.sessions import PlaceAdmin, SessionAdmin

__all__ = [
    "CourseTypeAdmin",
    "CourseVersionAdmin",
    "PlaceAdmin",
    "RoomAdmin",
    "SessionAdmin",
    "TrainerAdmin",
    "VenueAdmin",
]
