"""What holds for every address of the API."""
