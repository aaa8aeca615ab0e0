"""From records to tables, and from tables to what can be said of them. Never sees a tensor."""
