"""Tools that bring a result: other people's HTTP services, Python functions, MCP servers."""
