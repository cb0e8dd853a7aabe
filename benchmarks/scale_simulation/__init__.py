"""What the shared parts of a cluster bear, from one thousand calls to two hundred thousand."""
