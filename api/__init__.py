"""The API: from a question to edits, a cited answer, and the way each document came."""
