"""What the page needs for texts of many thousand tokens."""
