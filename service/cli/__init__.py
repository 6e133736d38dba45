"""`copydesk`, the command line: one module a group of commands. Only this room prints to a terminal."""
