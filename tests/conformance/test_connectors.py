"""Every connector of the registry passes the suite."""

import pytest

from hub.testing.conformance.connectors import *  # noqa: F403

pytestmark = pytest.mark.slow
