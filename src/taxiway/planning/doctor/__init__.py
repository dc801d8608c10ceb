"""Judges what ``taxiway doctor`` has gathered: facts in, findings out."""
