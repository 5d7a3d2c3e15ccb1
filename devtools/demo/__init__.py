"""The demo's data: a story of seven weeks, played through the portal's own services on a clock of its own."""
