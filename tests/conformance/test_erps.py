"""Every ERP adapter of the registry passes the suite."""

import pytest

from hub.testing.conformance.erps import *  # noqa: F403

pytestmark = pytest.mark.slow
