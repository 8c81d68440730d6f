"""The local stack: the real thing on a bare machine."""
