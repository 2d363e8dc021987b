"""The OpenAPI description: its files, its schemas, and how a value differs from one."""
