"""What a process that others are copies of imports first: nobody looks for garbage until all is imported.

There is none, and to look for it takes its time.
"""

import gc

gc.disable()
