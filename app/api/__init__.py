"""REST: parse, authenticate, one service call, answer."""
