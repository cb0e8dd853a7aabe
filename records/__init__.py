"""Calls, turns and their journal, durable."""
