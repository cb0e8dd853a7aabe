"""The ear and the mouth of a call: machines without I/O, clock or randomness."""
