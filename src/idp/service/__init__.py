"""Services: made from a template, and brought forward with it."""
