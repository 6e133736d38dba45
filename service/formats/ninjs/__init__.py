"""ninjs 3.1, the news agencies' JSON (IPTC): articles out of the store, and into it."""
