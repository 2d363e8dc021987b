"""Writes `generated/flux_images_api` from `openapi.yaml`; see `python -m codegen --help`."""
