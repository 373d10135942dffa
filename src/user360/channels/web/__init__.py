"""The chat on web pages: its sessions, who is signed in there, and what its customers are shown."""
