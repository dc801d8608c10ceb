"""Names of database objects, written so that SQL takes them as they are."""


def quote_identifier(name: str) -> str:
    """The name in double quotes, those inside it doubled (PostgreSQL manual, SQL syntax, identifiers)."""
    return '"' + name.replace('"', '""') + '"'
