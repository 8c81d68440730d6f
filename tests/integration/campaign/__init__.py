"""The campaign service with a real broker and database."""
