"""The container's job as the tutorial has it, and as ``taxiway run`` does it, measured side by side."""
