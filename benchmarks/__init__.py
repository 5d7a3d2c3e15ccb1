"""How fast the portal is, beside what it could be at best on the same machine in the same run: `make bench`."""
