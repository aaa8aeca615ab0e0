"""Sources of data: corpora, names, word vectors."""
