"""How good a model is: zero-shot, few-shot and retrieval, at every rank of the tree of life."""
