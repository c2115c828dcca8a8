"""The ledger's migrations, run by `idp.ledger.upgrading`."""
