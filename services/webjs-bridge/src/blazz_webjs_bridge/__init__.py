"""WhatsApp Web sessions in Chromium."""
