"""How many calls a machine carries: CPU, memory and delay for each further call."""
