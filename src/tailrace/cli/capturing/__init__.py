"""Parts of ``tailrace capture``."""
