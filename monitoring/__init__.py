"""What watches the system: exporter, rules, dashboards, runbooks."""
