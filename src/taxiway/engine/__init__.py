"""The use cases, over the seams of :mod:`taxiway.engine.ports`."""
