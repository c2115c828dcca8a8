"""The one door for Copier: what a template asks, what it renders, what it wants run."""
