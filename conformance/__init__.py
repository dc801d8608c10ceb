"""The real Flyway beside Taxiway: the same steps, on two databases, must give the same outcome.

``make conformance`` runs all of it; it needs Java 17 and Maven, which fetches Flyway. The scenarios hold what
Flyway did, so ``tests/conformance`` plays them with Taxiway alone.

Terminology:

scenario
    A folder of ``conformance/scenarios``: ``case.toml`` with its steps, scripts as files, and ``expected.json``.
step
    Files that change, statements that are run, then one command.
play
    What came of a scenario with one tool: an observation for each step, and the schema at the end.
generated history
    A scenario that a random generator has made up (:mod:`conformance.generated`).
hand-over
    Both tools on one database, in turn or at once (:mod:`conformance.handover`).
corpus
    A public project that is migrated with Flyway, taken from its repository (:mod:`conformance.corpora`).
"""
