"""The operator's side: starting, watching, stopping and listing tasks. AWS comes in as arguments."""
