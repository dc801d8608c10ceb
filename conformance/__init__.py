"""The real Flyway beside Taxiway: the same steps, on two databases, must give the same outcome.

``make conformance`` runs every case of ``conformance/cases``. It needs Java 17 and Maven, which fetches Flyway.
"""
