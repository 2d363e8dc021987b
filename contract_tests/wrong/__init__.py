"""Clients and mocks that are wrong in one way each, made by hand: the derived checks must tell every one apart."""
