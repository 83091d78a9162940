"""PostgreSQL as a server: the embedded one, backups, locks, notifications and the health of connections."""
