"""What crosses HTTP between services and at the public API: requests and answers, one noun a file."""
