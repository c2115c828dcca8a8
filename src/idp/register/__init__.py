"""Adding a service to the sources of the platform's catalog."""
