"""Composites: several providers that look like one to whoever calls them.

Each implements the port of what it is made of, so that neither a call nor a provider knows of it.
What they decide by is in ``providers.health``.
"""
