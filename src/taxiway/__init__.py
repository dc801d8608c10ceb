"""Flyway-compatible SQL migrations for PostgreSQL."""
