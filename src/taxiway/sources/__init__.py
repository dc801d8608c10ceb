"""Where scripts come from: a directory, a commit of a Git branch."""
