"""The door for people: operators, administrators, commanders, units."""
