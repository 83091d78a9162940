"""What happens to a message: receive, sort, deliver, correct, relay, learn. Read the files in that order.

Beside them: what a button means (press), what nobody takes (attend), what people ask by command (desk).
"""
