"""The doctor: small checks that say what is missing, what would happen, and what to do."""
