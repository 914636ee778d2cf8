"""Measurements: each starts its own stack on free ports in a temporary folder, unless told to use the running one."""
