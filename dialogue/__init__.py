"""The mind of a call: machines without I/O, clock or randomness."""
