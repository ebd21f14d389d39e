"""The hub that the steps' tests open, on either database."""

from tests.hub.steps.conftest import hub, open_one

__all__ = ["hub", "open_one"]
