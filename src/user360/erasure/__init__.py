"""Taking a person out for good, and everything held about one person as one archive."""
