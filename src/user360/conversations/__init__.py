"""What was said: conversations and their messages, who answers them, and what becomes of them.

A conversation is on a session, and every session is on a record; so it moves with the person
through every merge and its undoing.
"""
