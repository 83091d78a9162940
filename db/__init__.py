"""PostgreSQL: every fact Switchboard stores, and the work that waits."""
