"""What people type: a file for each command of `switchboard`, which `bot/cli.py` gives their names."""
