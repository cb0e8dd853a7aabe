"""What keeps the event loop of an ingress replica from being on time."""
