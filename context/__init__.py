"""What each page is about, in a short phrase, asked of who knows: beside the stream, and never in its way."""
