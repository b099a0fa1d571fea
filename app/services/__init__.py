"""What the product does: each function applies the rules, writes the rows and records the event in one transaction."""
