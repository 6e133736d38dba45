"""Tests of the images room, a file for each thing that is done."""
