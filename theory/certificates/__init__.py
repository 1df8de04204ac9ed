"""Certificates of what the deciders decided, found by an untrusted search and checked by a page of code."""
