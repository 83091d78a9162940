"""PostgreSQL: every fact Switchboard knows, and the work that waits."""
