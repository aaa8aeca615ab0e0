"""Fork-server preload module of training: import the lab once for all workers.

The garbage collector is off meanwhile, since imports leave none, and does not look at what is there afterwards:
a page of memory that it never touches stays shared with the workers.
"""

import gc
from importlib import import_module

gc.disable()
for name in ("reportgen.lab.run", "reportgen.cli"):  # each process imports the command, too
    import_module(name)
gc.freeze()
gc.enable()
