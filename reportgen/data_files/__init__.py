"""Data sets on disk: fetched, unpacked, shared between workers. Changes no number, and is in no key."""
