"""What a change of an entity reaches: all that needs it, to any depth, and who is to be told."""
