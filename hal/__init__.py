"""The board: drivers behind one Protocol per thing. Imports nothing of ours."""
