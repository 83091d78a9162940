"""The database tests' PostgreSQL."""

from tests.postgres import _template, database, database_url, empty_url, postgres_url

__all__ = ["_template", "database", "database_url", "empty_url", "postgres_url"]
