"""The same calls on this product and on a bot of Pipecat, beside the same emulated services."""
