"""The HTTP API of the product, under ``/v1``."""
