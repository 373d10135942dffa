"""Conditions become SQL, for everybody, for a few people, for what changed a moment ago."""
