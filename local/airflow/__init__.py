"""Airflow in the embedded stack: its processes, their configuration, and its REST interface."""
