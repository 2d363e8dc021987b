"""The one special operation: pictures, promised under addresses and drawn when they are fetched."""
