"""What goes on in the inbox while it is open: who looks on, who waits, and what time brings."""
