"""The pipeline as a whole: is it well, where does it stand, and how did it do in the last hour. Nothing is raised."""
