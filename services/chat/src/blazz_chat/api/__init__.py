"""HTTP in: internal routes, called by the gateway on behalf of a workspace."""
