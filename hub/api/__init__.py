"""The web door: webhooks in, what the hub knows out."""
