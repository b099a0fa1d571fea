"""Mails: what they look like, and the way to the mail server. Knows no table."""
