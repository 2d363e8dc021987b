"""A request, and how its parts are read and judged: path, credentials, parameters, body."""
