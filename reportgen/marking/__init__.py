"""What is looked at in a class of the user's own: does it run, and is it torch.nn's network."""
