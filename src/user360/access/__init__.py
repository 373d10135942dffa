"""Who may: workspaces and their settings, API keys, roles, the audit."""
