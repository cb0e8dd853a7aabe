"""One driver (asyncio, no Ray) and one Ray shell for each living thing."""
