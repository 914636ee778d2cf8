"""The layers that an edit comes through, and how far each has come. What cannot be had says why; nothing is raised."""
