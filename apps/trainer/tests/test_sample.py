"""The samples checked in for the TypeScript mirror are still what this program writes."""

import json
from typing import get_args

from pydantic import TypeAdapter

from record_sample import MINIMAL, SAMPLES
from trainer import events
from trainer.config import TrainerConfig


def test_the_sample_config_holds_our_defaults():
    ours = TrainerConfig.model_validate(MINIMAL, by_alias=True, by_name=False).model_dump(by_alias=True)
    assert json.loads((SAMPLES / "trainer-config.sample.json").read_text(encoding="utf-8")) == ours


def test_the_sample_run_has_every_kind_of_event_with_exactly_our_fields():
    seen = set()
    for line in (SAMPLES / "trainer-events.sample.ndjson").read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        assert fields.pop("at").endswith("Z")
        event = TypeAdapter(events.Event).validate_python(fields, by_alias=True, by_name=False)
        assert event.model_dump(by_alias=True, mode="json") == fields
        seen.add(type(event))
    assert seen == set(get_args(get_args(events.Event)[0]))
