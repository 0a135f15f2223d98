"""The methods of `Array`, by family; each only says which operation it is."""
