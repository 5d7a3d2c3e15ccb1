"""Django's PostgreSQL, looked at without a question before it is used again: the database engine of the settings."""
