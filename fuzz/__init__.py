"""Garbage in: random inputs for everything of Taxiway that reads text, guided by the code that they reach.

``python -m fuzz`` runs each target for a while in a process of its own. See CONTRIBUTING.md.

Terminology:

target
    A part of Taxiway that reads something, and what has to hold whatever that is (:mod:`fuzz.target`).
input
    Bytes. The first ones choose the settings, the others are the text (:class:`fuzz.draw.Draw`).
corpus
    Inputs that together reach as much of a target as was ever reached; in ``corpus/``, and replayed by the tests.
seed
    An input that a person wrote, or that once failed.
shape
    How to make an input of any length, for measuring how time grows with it (:mod:`fuzz.growth`).
"""
