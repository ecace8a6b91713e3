"""The golden suite itself: schema, checksums, index, flags, what it covers, how large it is."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from refimpl.conformance.suite import Suite
from refimpl.conformance.vocabulary import COMPARATORS, INVARIANTS, OPERATIONS, STAGES

jsonschema = pytest.importorskip("jsonschema")

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
SUITE = Suite(GOLDEN / "v1")
SCHEMA = json.loads((GOLDEN / "v1" / "schema.json").read_text(encoding="utf-8"))
CASES = {case_id: json.loads((SUITE.root / case_id / "case.json").read_text(encoding="utf-8")) for case_id in SUITE.ids}
PAPER = [f"Eq. {n}" for n in range(1, 7)] + ["Table 1", "Table 3"] + [f"D{n:02d}" for n in range(1, 25)]


def validator():
    return jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_allows_no_other_keys():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def objects(node):
        if isinstance(node, dict):
            if "properties" in node and "required" in node:
                yield node
            for part in node.values():
                yield from objects(part)
        elif isinstance(node, list):
            for part in node:
                yield from objects(part)

    found = list(objects(SCHEMA))
    assert len(found) == 6 and all(node["additionalProperties"] is False for node in found)
    assert all(node["required"] == list(node["properties"]) for node in found)


def test_schema_and_reader_speak_of_the_same_words():
    parts = SCHEMA["$defs"]
    assert SCHEMA["properties"]["stage"]["enum"] == list(STAGES)
    assert SCHEMA["properties"]["operation"]["enum"] == sorted(OPERATIONS)
    assert parts["output"]["properties"]["cmp"]["enum"] == list(COMPARATORS)
    assert parts["invariant"]["properties"]["cmp"]["enum"] == list(INVARIANTS)


def test_every_case_fits_the_schema_and_the_reader():
    faults = [
        f"{case_id}: {fault.json_path}: {fault.message[:200]}"
        for case_id, case in CASES.items()
        for fault in validator().iter_errors(case)
    ]
    assert not faults, "\n".join(faults)
    assert len(SUITE.select()) == len(CASES)


def a_case(**changes):
    case = next(case for case in CASES.values() if case["verdict"] == "valid" and case["inputs"])
    return case | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"note": "x"},
        {"verdict": "acceptable"},
        {"verdict": "invalid"},
        {"outputs": {}},
        {"fault": {"fields": ["x"], "why": "y"}},
        {"stage": "rasters"},
        {"operation": "mean"},
        {"id": "With Space"},
        {"references": []},
        {"flags": []},
        {"inputs": {"../a.npy": {"sha256": "0" * 64}}},
        {"inputs": {"a.npy": {"sha256": "0" * 63}}},
        {"inputs": {"a.npy": {"sha256": "0" * 64, "size": 1}}},
        {"outputs": {"a.npy": {"sha256": "0" * 64, "cmp": "rel", "limit": [1, 2], "why": "x"}}},
        {"outputs": {"a.npy": {"sha256": "0" * 64, "cmp": "psnr", "limit": 1, "why": "x"}}},
        {"outputs": {"a.npy": {"sha256": "0" * 64, "cmp": "rel", "limit": 1}}},
        {"oracle": {"name": "hand"}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_contract_does_not_know(changes):
    assert validator().is_valid(a_case())
    assert not validator().is_valid(a_case(**changes))


def test_a_valid_case_answers_every_output_of_its_operation():
    odd = {
        case_id: sorted(case["outputs"])
        for case_id, case in CASES.items()
        if case["verdict"] == "valid" and sorted(case["outputs"]) != sorted(OPERATIONS[case["operation"]][1].split())
    }
    assert not odd


def test_the_contract_names_these_operations_and_outputs():
    stage, found = None, {}
    for line in (GOLDEN / "README.md").read_text(encoding="utf-8").splitlines():
        stage = m[1] if (m := re.match(r"### Stage `(\w+)`", line)) else stage
        if stage and (m := re.match(r"\| `(\w+)` \|[^|]*\|[^|]*\|([^|]*)\|", line)):
            found[m[1]] = (stage, " ".join(re.findall(r"`(\w+\.\w+)`", m[2])))
    assert found == OPERATIONS


def test_no_file_stands_in_a_case_that_it_does_not_list():
    for case_id, case in CASES.items():
        there = {path.relative_to(SUITE.root / case_id).as_posix() for path in (SUITE.root / case_id).rglob("*.*")}
        listed = {f"in/{name}" for name in case["inputs"]} | {f"out/{name}" for name in case["outputs"]}
        assert there == listed | {"case.json"}, case_id


def test_the_index_lists_every_case_as_it_is():
    index = json.loads((GOLDEN / "index.json").read_text(encoding="utf-8"))
    assert index["suite"] == "v1" and index["cases"] == len(CASES)
    assert {row["id"] for row in index["list"]} == set(CASES)
    for row in index["list"]:
        assert row == {key: CASES[row["id"]][key] for key in row}
    assert index["verdicts"] == Counter(case["verdict"] for case in CASES.values())
    assert index["stages"] == {stage: sum(c["stage"] == stage for c in CASES.values()) for stage in STAGES}
    assert list(index["stages"]) == list(STAGES)


def test_every_flag_is_explained_and_used():
    assert set(SUITE.flags) == {flag for case in CASES.values() for flag in case["flags"]}
    assert all(len(text.split()) >= 4 for text in SUITE.flags.values())


@pytest.mark.parametrize("place", PAPER)
def test_a_case_cites_every_equation_table_and_decision(place):
    assert any(place in case["references"] for case in CASES.values())


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_cases_to_answer_and_to_refuse(stage):
    verdicts = Counter(case["verdict"] for case in CASES.values() if case["stage"] == stage)
    assert verdicts["valid"] and verdicts["invalid"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_a_case_to_answer(operation):
    assert any(case["operation"] == operation and case["verdict"] == "valid" for case in CASES.values())


def test_there_are_at_least_200_cases_and_three_in_ten_are_to_be_refused():
    invalid = sum(case["verdict"] == "invalid" for case in CASES.values())
    assert len(CASES) >= 200 and invalid >= 0.3 * len(CASES)


def test_the_suite_is_smaller_than_10_mb_and_no_part_of_the_wheel():
    assert sum(path.stat().st_size for path in SUITE.root.rglob("*") if path.is_file()) < 10e6
    setup = (GOLDEN.parent / "setup.cfg").read_text(encoding="utf-8")
    packages = re.search(r"\[options.packages.find\]\ninclude =\n((?:    .*\n)+)", setup)[1].split()
    assert packages == ["refimpl", "refimpl.*", "kernels", "kernels.*"]
