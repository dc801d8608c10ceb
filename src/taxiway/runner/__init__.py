"""The job in the container: from its environment to its exit code."""
