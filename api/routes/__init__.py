"""Routes by subject. Each turns a request into calls and their values into a response."""
