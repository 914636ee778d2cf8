"""What goes in and out, as typed models, by subject."""
