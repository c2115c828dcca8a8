"""Live environments: brought up for a branch or a pull request, and taken away again."""
