"""What a process that others are copies of imports last: what is there now will be no copy's garbage."""

import gc

gc.freeze()  # nobody looks through it again, so that it stays one memory for all
gc.enable()
