"""Web Push (RFC 8030, 8291, 8292): keys, encryption, texts, and one request to a push service. Knows no table."""
