"""What `tailrace demo` is made of: a pipeline, traffic with known attacks, and the score."""
