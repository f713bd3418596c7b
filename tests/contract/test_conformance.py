"""The page of conformance says what the suite shows."""

from __future__ import annotations

import pytest

from tests.contract import statements


@pytest.mark.parametrize("statement", [*statements.statements()], ids=lambda one: one.text[:60])
def test_every_statement_is_shown_by_tests_that_there_are(statement: statements.Statement):
    named = statement.tests.split()
    assert named
    assert [name for name in named if name not in statements.tests_by_name()] == []
    assert not statement.topic or statement.topic in statements.reasons()


def test_the_page_is_up_to_date():
    assert statements.PAGE.read_text() == statements.page(), "run python -m tests.contract.statements"
