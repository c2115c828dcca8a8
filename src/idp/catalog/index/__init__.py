"""The index: every entity, its relations both ways, full text and provenance, in one SQLite file.

It is derived: what is in it can be read again from the sources. Nobody changes the file in place:
an ingest writes another beside it, which then takes its name. So whoever reads keeps what was
opened, and a killed ingest leaves the old index.
"""
