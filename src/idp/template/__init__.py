"""Templates as their users and their authors see them."""
