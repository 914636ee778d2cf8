"""Breaking the stack on purpose, under load, and balancing the books afterwards."""
