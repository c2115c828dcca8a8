"""Bringing a release into an environment: lease, build, apply, health gate, rollback, record."""
