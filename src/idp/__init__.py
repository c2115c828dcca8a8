"""idp: an internal developer platform as one command-line tool."""

__version__ = "0.1.0"
