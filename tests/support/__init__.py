"""What tests stand on: real services, processes, a browser. Loaded by tests/conftest.py and by pytest's `-p`."""
