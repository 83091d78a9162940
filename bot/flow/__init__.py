"""What happens to a message: receive, sort, deliver, correct, relay, learn. Read the files in that order."""
