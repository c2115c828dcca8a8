"""The neighbourhood of an entity: what it needs and what needs it, as a tree or a drawing."""
