"""Exact neighbours at the speed of memory: embeddings as small integers in plain files.

LanceDB holds the embeddings and is the truth. Beside it an index repeats them, turned so that the
first numbers of a code say most of it (principal components) and rounded to 8 bits. A query reads the
first numbers of every photo, the rest of those that can still be among the best, and the embeddings of the
few that are left: see `scan`. There is nothing to train and no parameter that trades answers for time.
"""
