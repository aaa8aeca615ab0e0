"""The tasks that a suite can set, a folder each; `base` states what a task brings."""
