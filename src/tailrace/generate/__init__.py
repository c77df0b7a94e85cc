"""Made-up traffic with known attacks in it, to try rules on, to demonstrate and to measure.

`nginx` has the public class. Nothing here knows pipelines, rules or the kernel: what comes out is
bytes as a web server would have logged them, and labels that say what was put in.
"""
