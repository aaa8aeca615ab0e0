"""Addition of numbers, digit by digit."""
