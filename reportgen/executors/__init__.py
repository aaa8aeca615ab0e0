"""Where runs happen: a pool of processes on this machine, or Ray, here or on a cluster."""
