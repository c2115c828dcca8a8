"""All there is to know of an entity on one screen: above all, who to ask."""
