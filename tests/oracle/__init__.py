"""The oracle: a slow, obvious implementation of docs/semantics.md, to hold engines against.

Written from the text of the semantics and not from the kernel. It shares with the product only
what is not semantics: reading the pipeline file, parsing expressions to a tree, and the names of
measures. It keeps every event for ever and looks at all of them again whenever it is asked
something.
"""
