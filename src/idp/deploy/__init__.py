"""Deploying services to lasting environments, and bringing them back."""
