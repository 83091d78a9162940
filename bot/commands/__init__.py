"""The commands of `switchboard`, a file for each; `bot/cli.py` registers them under their names."""
