"""Send a file that holds an HTTP request, its header lines ended as the wire wants them."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

head, _, body = Path(sys.argv[1]).read_bytes().partition(b"\n\n")
host, port = next(line for line in head.split(b"\n") if line.lower().startswith(b"host:"))[5:].strip().split(b":")
with socket.create_connection((host.decode(), int(port))) as connection:
    # The file ends with a line feed, which is no part of the body.
    connection.sendall(head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body.removesuffix(b"\n"))
    print(connection.recv(65536).decode("utf-8", "replace"))
