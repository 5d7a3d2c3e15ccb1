"""The API of forces' systems (CONTRACT.md, API v1)."""
