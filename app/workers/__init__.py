"""What happens by itself, on every server, safely."""
