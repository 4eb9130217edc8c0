"""The ledger's rows on disk: written once, read whole, moved between databases."""
