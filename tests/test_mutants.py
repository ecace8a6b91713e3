"""Deliberate deviations from the method: `refimpl verify` must notice each, and name the right stage."""

import pytest

from refimpl.conformance.vocabulary import STAGES
from tests.mutants.__main__ import ROOT, verdicts
from tests.mutants.mutants import MUTANTS

STAGES_OF_MUTANTS = sorted({mutant.stage for mutant in MUTANTS.values()}, key=STAGES.index)


def test_a_mutant_changes_one_place_that_stands_in_the_code():
    assert len(MUTANTS) >= 60
    for mutant in MUTANTS.values():
        source = (ROOT / mutant.file).read_text(encoding="utf-8")
        assert source.count(mutant.old) == 1 and mutant.new != mutant.old, mutant.id


@pytest.mark.parametrize("stage", STAGES_OF_MUTANTS)
def test_every_mutant_is_killed_by_a_case_of_its_stage(stage):
    found = verdicts([mutant for mutant in MUTANTS.values() if mutant.stage == stage], ("--stage", stage))
    assert [(one.mutant.id, one.said) for one in found if not one.killed] == []


def test_without_a_mutation_nothing_fails():
    from tests.mutants.one import failing

    assert failing(["--stage", "inventory"]) == (0, {})
