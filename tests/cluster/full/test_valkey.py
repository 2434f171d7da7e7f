"""Steps 4 to 6 of every landing, with ``engine: valkey``: the same steps."""

from __future__ import annotations

import pytest

from tests.cluster.landing.test_4_restarts import (
    test_no_session_is_lost_while_redis_restarts,
    test_nobody_notices_that_services_and_edge_restart,
)
from tests.cluster.landing.test_5_all_redis_pods import (
    test_the_platform_answers_again_and_nobody_is_signed_out,
)
from tests.cluster.landing.test_6_frozen_primary import test_its_replica_serves_soon

__all__ = [
    "test_its_replica_serves_soon",
    "test_no_session_is_lost_while_redis_restarts",
    "test_nobody_notices_that_services_and_edge_restart",
    "test_the_platform_answers_again_and_nobody_is_signed_out",
]

pytestmark = pytest.mark.usefixtures("on_valkey")
