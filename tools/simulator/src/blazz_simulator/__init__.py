"""WhatsApp on your own machine: a Graph API, a phone to read and reply with."""
