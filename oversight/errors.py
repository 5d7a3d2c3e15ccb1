"""What oversight refuses."""

from common.errors import PortalError


class AlreadySeenError(PortalError):
    """A breach is explained once; what was written stands."""

    message = "Somebody has already looked at this missed promise."
