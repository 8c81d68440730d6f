"""WhatsApp Web in a browser: what we may ask of the page, and what it tells. Knows neither HTTP, AMQP nor SQL."""
