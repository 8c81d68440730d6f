"""WhatsApp webhooks: verified, split into facts, published with confirms, then answered."""
