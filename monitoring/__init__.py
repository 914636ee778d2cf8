"""What watches the system: the exporter, rules, dashboards and runbooks."""
