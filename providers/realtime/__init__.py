"""OpenAI Realtime: one model that hears and speaks, over one websocket for each call."""
