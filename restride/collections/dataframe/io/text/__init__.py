"""Text: CSV and its kin, JSON; files are split at the ends of records, by bytes."""
