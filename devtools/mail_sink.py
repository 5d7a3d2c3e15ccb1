"""An SMTP server that delivers to a folder: `python -m devtools.mail_sink --port P --dir D`."""

import argparse
import asyncio
import secrets
import signal
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Folder:
    """Writes each message to a file of its own, named so that the newest is the last."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by the SMTP server with each message; it is on disk, whole, before it is accepted."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        unfinished = self.directory / f"{name}.part"
        unfinished.write_bytes(content)
        unfinished.rename(self.directory / f"{name}.eml")
        return "250 Delivered to a folder"


async def serve(port: int, directory: Path) -> None:
    """Listen on the loopback address until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    folder = Folder(directory)
    server = await loop.create_server(lambda: SMTP(folder, hostname="localhost"), "127.0.0.1", port)
    print(f"mail is written to {directory}", flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.dir))


if __name__ == "__main__":
    main()
