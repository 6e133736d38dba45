"""Tests of what programs of others make of the OpenAPI document."""
