"""Measurements of the real path, socket to socket: ``make bench``."""
