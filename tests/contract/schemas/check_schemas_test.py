#!/usr/bin/env python3
"""scripts/check_schemas passes our schemas and finds every fault that is planted into a copy of them."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def check(folder):
    done = subprocess.run([sys.executable, ROOT / "scripts" / "check_schemas", folder], capture_output=True, text=True)
    return done.returncode, done.stdout


class CheckSchemas(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name) / "schemas"
        shutil.copytree(ROOT / "schemas", self.folder)
        self.addCleanup(self.scratch.cleanup)

    def plant(self, change, name="messages/board.delete.v1.schema.json"):
        path = self.folder / name
        schema = json.loads(path.read_text()) if path.exists() else {}
        change(schema)
        path.write_text(json.dumps(schema))

    def assert_found(self, words):
        code, said = check(self.folder)
        self.assertEqual(code, 1, said)
        self.assertIn(words, said)

    def test_ours_are_clean(self):
        self.assertEqual(check(ROOT / "schemas"), (0, ""))

    def test_keywords_that_are_not_honoured(self):
        for keyword in ("pattern", "uniqueItems", "format", "unevaluatedProperties", "dependentRequired", "prefixItems", "minContains"):
            self.plant(lambda schema: schema["properties"]["actor"].update({keyword: "x"}))
            self.assert_found(f"keyword '{keyword}' is not on the list")
            self.plant(lambda schema: schema["properties"]["actor"].pop(keyword))

    def test_siblings_of_a_reference(self):
        self.plant(lambda schema: schema["properties"]["board_id"].update({"description": "x"}))
        self.assert_found("$ref has siblings")

    def test_a_reference_to_nothing_and_a_part_that_nobody_uses(self):
        self.plant(lambda schema: schema["properties"].update({"board_id": {"$ref": "#/$defs/nothing"}}))
        self.assert_found("$ref to 'nothing'")
        self.assert_found("'id' in $defs is not used")

    def test_a_closed_message(self):
        self.plant(lambda schema: schema.update({"additionalProperties": False}))
        self.assert_found("consumers ignore unknown members")

    def test_a_required_member_that_is_not_described(self):
        self.plant(lambda schema: schema["required"].append("ghost"))
        self.assert_found("'ghost' is not described")

    def test_a_name_that_is_another(self):
        self.plant(lambda schema: schema.update({"$id": "urn:postroom:message:board.remove.v1"}))
        self.assert_found("$id must be urn:postroom:message:board.delete.v1")

    def test_missing_and_orphaned_examples(self):
        shutil.rmtree(self.folder / "messages/examples/invalid/board.delete.v1")
        self.assert_found("is missing: every message has an example")
        (self.folder / "messages/examples/valid/board.paint.v1").mkdir()
        self.assert_found("has no schema")

    def test_an_example_that_is_no_json(self):
        (self.folder / "messages/examples/valid/board.delete.v1/broken.json").write_text("{")
        self.assert_found("cannot be read")

    def test_the_http_contract_is_checked_too(self):
        (self.folder / "openapi.json").write_text(json.dumps({
            "paths": {"/x": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/lost"}}}}}}},
            "components": {"schemas": {"x": {"type": "string", "pattern": "^a"}}}}))
        self.assert_found("keyword 'pattern' is not on the list")
        self.assert_found("$ref to 'lost'")


if __name__ == "__main__":
    unittest.main()
