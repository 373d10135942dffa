"""Who is who: userIds, sessions, merging and taking a merge back."""
