"""What is known of people, out in bulk: records and events as files that can be read here again."""
