"""Scripts as text: placeholders, tokens, statements."""
