"""Parts of ``tailrace generate``: options that its commands share, where lines go, each command."""
