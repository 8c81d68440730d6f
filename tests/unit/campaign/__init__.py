"""Campaign's rules, without servers."""
