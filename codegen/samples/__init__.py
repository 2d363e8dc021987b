"""Samples of each operation in fifteen languages: made from openapi.yaml, repaired, run, and compared."""
