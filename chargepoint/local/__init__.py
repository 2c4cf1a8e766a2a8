"""What a person at the charger sees."""
