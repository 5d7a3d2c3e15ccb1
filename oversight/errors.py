"""What oversight refuses."""

from common.errors import PortalError


class AlreadySeenError(PortalError):
    message = "Somebody has already looked at this missed promise."
