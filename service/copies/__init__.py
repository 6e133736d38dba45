"""Who holds a copy of an article: which version was sent to whom, and what is known to have arrived."""
