"""What a running pipeline tells over HTTP: metrics for Prometheus, health for orchestrators."""
