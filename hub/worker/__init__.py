"""The worker: jobs rung by webhooks and by the clock; the stores say what there is to do, a ring only when to look."""
