"""What the station remembers, in one SQLite file. Must not know rules."""
