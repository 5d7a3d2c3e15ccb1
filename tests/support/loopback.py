"""Tests speak to this machine only."""

import ipaddress
import socket
from typing import Any


class OutsideAddressError(RuntimeError):
    """A test tried to reach another machine."""


def allow_only() -> None:
    """From now on refuse every connection of this process to anything but the loopback address."""
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))


def _guarded(connect: Any) -> Any:
    if getattr(connect, "guarded", False):
        return connect

    def guard(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(str(address[0])):
            raise OutsideAddressError(f"tests may only connect to the loopback address, not to {address[0]}")
        return connect(self, address)

    guard.guarded = True  # type: ignore[attr-defined]
    return guard


def _is_loopback(host: str) -> bool:
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
