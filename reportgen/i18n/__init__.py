"""Languages: catalogues of sentences, numbers and dates, and the fonts that print them."""
