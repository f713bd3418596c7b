"""What sites of any size take, computed from what single steps were measured to take."""
