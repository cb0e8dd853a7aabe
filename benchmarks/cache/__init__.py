"""How often the response cache answers, and how often wrongly, beside simpler caches."""
