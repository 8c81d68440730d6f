"""HTTP in: one module a noun, each with `router(...)` that takes what it needs."""
