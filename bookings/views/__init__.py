"""The candidate's pages: each parses, asks one service, and shows what came of it."""
