"""Asking the index: one small language, and Backstage's own two, become SQL."""
