"""Who holds a copy of an article or a picture: which version was sent to whom, and what is known to have arrived."""
