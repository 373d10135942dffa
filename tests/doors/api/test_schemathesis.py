"""Whatever anybody sends, as far as a machine can think of it: no 5xx, answers as described."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.doors.conftest import Serving
from user360 import app
from user360.doors.api import openapi

# The description needs no platform, only the routes.
NOWHERE: Any = Mock(directory=Path("nowhere"))
doors = schemathesis.openapi.from_dict(openapi.describe(app.create(NOWHERE)))

# Every boundary of every field is thousands of calls; the tests beside this one have those.
doors.config.phases.coverage.enabled = False

# The description says what shape a value has, not that a property is declared or a user known.
BEYOND_SHAPES: list[Any] = [positive_data_acceptance]
# In a list of rows a bad one fails alone, and the call is answered all the same.
ROWS = ("/api/v1/events", "/api/v1/users/bulk", "/v1/batch", "/v1/b", "/v1/import")
# In a form everything is text: a number there is a file of few characters.
FORMS = ("/api/v1/imports", "/api/v1/imports/preview", "/api/v1/attachments")


@doors.parametrize()
@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_no_call_breaks_its_word(server: Serving, case: Any) -> None:
    alone = [negative_data_rejection] if case.path in (*ROWS, *FORMS) else []
    case.call_and_validate(
        base_url=server.url,
        headers={"x-api-key": server.product.key},
        excluded_checks=BEYOND_SHAPES + alone,
    )
