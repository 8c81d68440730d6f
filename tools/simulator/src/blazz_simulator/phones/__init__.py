"""The customers: their phones, what they read and write, and the pages that show it."""
