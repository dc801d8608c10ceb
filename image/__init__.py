"""Building the container image and its list of contents, without the daemon of a container engine."""
