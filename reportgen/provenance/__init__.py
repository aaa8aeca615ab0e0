"""Where a report's numbers come from, whether they are still those, and what separates two builds."""
