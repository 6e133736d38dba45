"""Articles in the shapes of others: feeds, sitemaps, ninjs and NewsArticle."""
