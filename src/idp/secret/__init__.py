"""Secrets: who asked for which, where they are, and how a service gets at them."""
