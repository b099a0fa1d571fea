"""Pure facts and rules; imports nothing of the application."""
