"""How a request comes in and its answer goes out: over a socket, or as an ASGI application."""
