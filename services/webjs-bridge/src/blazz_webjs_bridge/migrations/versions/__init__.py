"""One line of revisions."""
