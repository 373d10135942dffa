"""The condition language: its words, its reading from JSON, its checks, its English."""
