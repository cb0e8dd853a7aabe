"""Where things run, who is admitted, the HTTP and WebSocket edge, settings, commands."""
