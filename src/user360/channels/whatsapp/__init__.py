"""WhatsApp's Cloud API, as Meta documents it: what comes in by its webhook, what is sent by it."""
