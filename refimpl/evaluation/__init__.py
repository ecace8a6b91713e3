"""How the map is judged: by land cover, cell by cell against another map, and beside its own alternatives."""
