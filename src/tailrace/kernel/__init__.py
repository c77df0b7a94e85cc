"""The kernel: from decoded events to closed windows and firings, the same in every engine."""
