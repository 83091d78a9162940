"""What happens to a message: receive, sort, deliver, correct, relay, learn. Read the files in that order.

Beside them: what a pressed button does (buttons), reminders of requests that nobody takes (remind), and commands in a
chat (chat_commands).
"""
