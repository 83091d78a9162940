"""What happens to a message: receive, sort, deliver, correct, relay, learn. Read the files in that order.

Beside them: what a button means (buttons), what nobody takes (remind), what people ask by command (chat_commands).
"""
