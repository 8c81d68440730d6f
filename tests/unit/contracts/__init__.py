"""The contract: events, their schemas, the topology."""
