copy a to stdout;
