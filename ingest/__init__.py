"""Sources to passages: reading, cleaning, cutting, keeping."""
