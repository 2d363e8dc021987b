"""The mock in the hands of a test: with a socket, and without one."""
