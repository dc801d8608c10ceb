"""From files, variables and arguments to frozen settings that remember where each value came from."""
