"""The Spark engine: Spark distributes, the kernel is the same."""
