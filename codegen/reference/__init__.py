"""The reference page: one file, made from openapi.yaml, the scenarios and what the SDK does of each."""
