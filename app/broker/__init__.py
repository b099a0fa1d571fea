"""How committed events and signals travel between servers: in-process, or through Redis."""
