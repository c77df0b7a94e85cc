"""The plan: what a pipeline file means, as frozen values that engines run."""
