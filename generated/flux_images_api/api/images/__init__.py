# Generated from openapi.yaml. Do not edit: make sdk
"""Contains endpoint functions for accessing the API"""
