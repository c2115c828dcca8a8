"""The guard of the road, with a real ledger behind it."""
