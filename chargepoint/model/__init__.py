"""The words all parts share: pure values and tables, nothing that acts."""
