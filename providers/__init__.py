"""Other people's speech and language services behind small ports."""
