"""What WhatsApp accepts in a message, by type. By hand, for the text path must take thousands a second.

Each check takes the type's own object and raises `GraphError` with Meta's code when it is not acceptable.
"""
