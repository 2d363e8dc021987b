# Generated from openapi.yaml. Do not edit: make sdk
"""Contains methods for accessing the API"""
