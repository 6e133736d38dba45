"""Many articles in one request: read as they arrive, written in batches, answered one by one."""
