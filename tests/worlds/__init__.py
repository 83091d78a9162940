"""The scenes that tests act in: each is set up once, here, and a test contains only the events in it.

- `story`: every step of the flow over a real database, stepped by hand, with a model, an embedder and chats in memory
- `many`: a database in which people have talked for two months
- `both_platforms`: that story between the real clients of a local Slack and a local Telegram
- `three_teams`: both platforms, with three teams that have a channel and a group each
- `company`: the demo company around real `switchboard` processes, seen from its Slack, its Telegram and its page
"""
