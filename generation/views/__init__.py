"""HTTP views: each one authenticates, calls one selector or service, and renders."""
