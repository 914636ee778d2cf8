"""A stand-in for Wikidata's API: descriptions of pages from a file or of the simulation, with faults on demand."""
