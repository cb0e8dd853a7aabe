"""The stage: protocol-true emulators, simulated callers, load."""
