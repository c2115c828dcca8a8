"""Snapshots: the index as one compressed file, and a manifest beside it that says what is in it.

The data has its checksum in its name and is there before the manifest names it: a reader sees the
old snapshot or the new one, whatever becomes of the one who publishes.
"""
