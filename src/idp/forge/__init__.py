"""The forges: where repositories are, pull requests are opened and reviews are given."""
