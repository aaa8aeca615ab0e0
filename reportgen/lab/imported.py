"""All that a run imports, for the process that workers are copies of."""

import torch._dynamo  # noqa: F401 - which the first optimizer that is made imports, in a second

import reportgen.lab.work  # noqa: F401 - and with it the rest of the lab
