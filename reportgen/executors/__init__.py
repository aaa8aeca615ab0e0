"""Where runs happen: a pool of processes on this machine."""
