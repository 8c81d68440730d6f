"""HTTP API, webhooks, identity, tokens, rate limits and audit."""
