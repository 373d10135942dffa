"""Why somebody is in a segment: what decided each condition, and when that will change."""
