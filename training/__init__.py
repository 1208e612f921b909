"""Train models that the indexer loads."""
