"""The catalog: entities in Backstage's format, read, judged and related."""
