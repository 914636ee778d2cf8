"""A stand-in for Wikimedia's event stream: serves a recording or a simulation as EventStreams would."""
