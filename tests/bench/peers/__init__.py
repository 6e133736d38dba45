"""`./run bench --peers`: what the same questions cost Copydesk and other frameworks."""
