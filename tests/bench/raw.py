"""The raw NATS protocol over a blocking socket: the reference line, and a load that costs its sender little."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Self
from urllib.parse import urlparse


class RawClient:
    """A NATS client of one socket. `publish` sends at once; `messages` yields (subject, reply, payload)."""

    def __init__(self, url: str) -> None:
        parsed = urlparse(url)
        self._socket = socket.create_connection((parsed.hostname or "127.0.0.1", parsed.port or 4222), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._line()  # INFO
        self.send(b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"lang":"raw","version":"0"}\r\n')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close; a thread that waits in `messages` hears ConnectionError."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send protocol bytes."""
        self._socket.sendall(data)

    def settimeout(self, timeout_s: float | None) -> None:
        """Let reads fail with TimeoutError after this."""
        self._socket.settimeout(timeout_s)

    def publish(self, subject: str, payload: bytes) -> None:
        """Publish one message."""
        self.send(publication(subject, payload))

    def subscribe(self, subject: str, sid: int = 1) -> None:
        """Subscribe, and return once the server has it."""
        self.send(f"SUB {subject} {sid}\r\nPING\r\n".encode())
        while self._line() != b"PONG":
            pass

    def flush(self) -> None:
        """Return once the server has everything that was sent."""
        self.send(b"PING\r\n")
        while self._line() != b"PONG":
            pass

    def messages(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield what arrives."""
        for subject, reply, _, body in self.messages_with_headers():
            yield subject, reply, body

    def messages_with_headers(self) -> Iterator[tuple[str, str, bytes, bytes]]:
        """Yield what arrives: (subject, reply, header block as it came, payload)."""
        while True:
            line = self._line()
            if line == b"PING":
                self.send(b"PONG\r\n")
            elif line.startswith((b"MSG ", b"HMSG ")):
                yield self._message(line)

    def _message(self, line: bytes) -> tuple[str, str, bytes, bytes]:
        words = line.decode().split(" ")
        has_headers = words[0] == "HMSG"
        size = int(words[-1])
        header = int(words[-2]) if has_headers else 0
        reply = words[3] if len(words) == (6 if has_headers else 5) else ""
        body = self._exactly(size + 2)
        return words[1], reply, body[:header], body[header:size]

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._read()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._read()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _read(self) -> None:
        data = self._socket.recv(65_536)
        if not data:
            raise ConnectionError("the NATS server closed the connection")
        self._buffer += data


def publication(subject: str, payload: bytes) -> bytes:
    """Return the protocol bytes of one publication."""
    return b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(payload), payload)
