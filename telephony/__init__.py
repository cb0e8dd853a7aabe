"""What Twilio says on the wire, and how we answer."""
