"""Answers we already have, in text and in audio."""
