"""deploy/monitoring/: rules that were tried, with runbooks, and nothing that is not measured."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from generation.alarms.alarm_messages import RUNBOOKS
from tests.documents import anchors, tables
from tests.prometheus import MONITORING, needs_prometheus, promtool, read_yaml
from tests.studio import ROOT

OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = read_yaml(MONITORING / "alerts.yml")["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "grafana.json").read_text(encoding="utf-8"))
PANELS = [each for each in DASHBOARD["panels"] if each["type"] != "row"]
OF_A_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")


@needs_prometheus
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_prometheus_accepts_its_files_and_each_alert_fires_when_it_should(
    arguments: tuple[str, ...],
) -> None:
    promtool(*arguments, folder=MONITORING)


def test_each_alert_is_tried_both_ways() -> None:
    tried: dict[str, set[bool]] = {}
    for test in read_yaml(MONITORING / "alerts_test.yml")["tests"]:
        for each in test["alert_rule_test"]:
            tried.setdefault(each["alertname"], set()).add(bool(each.get("exp_alerts")))

    assert tried == {rule["alert"]: {True, False} for rule in RULES}


def test_each_alert_has_a_runbook() -> None:
    runbooks = [rule["annotations"]["runbook"].partition("#") for rule in RULES]

    assert {page for page, _hash, _heading in runbooks} == {"docs/operations.md"}
    headings = {heading for _page, _hash, heading in runbooks}
    assert headings <= anchors(OPERATIONS)
    assert set(RUNBOOKS.values()) <= headings


def expressions() -> list[str]:
    return [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_rules_and_dashboard_read_only_what_is_documented() -> None:
    read = {
        OF_A_HISTOGRAM.sub("", name)
        for expression in [*expressions(), *(rule["expr"] for rule in RULES)]
        for name in re.findall(r"\bliujuan_\w+", expression)
    }
    documented = set(tables(OPERATIONS)["metric"])

    assert read <= documented
    # the dashboard shows everything that is measured, but which version runs
    shown = {
        OF_A_HISTOGRAM.sub("", name)
        for expression in expressions()
        for name in re.findall(r"\bliujuan_\w+", expression)
    }
    assert documented - shown <= {
        *("liujuan_build_info", "liujuan_rows_readable", "liujuan_media_size_bytes"),
        *("liujuan_paused", "liujuan_model_paused", "liujuan_model_replicas"),
    }


@needs_prometheus
def test_every_expression_of_the_dashboard_can_be_read(tmp_path: Path) -> None:
    plain = [each.replace("$__rate_interval", "5m") for each in expressions()]
    rules = [{"record": f"panel:{n}", "expr": each} for n, each in enumerate(plain)]
    with (tmp_path / "panels.yml").open("w") as file:
        YAML(typ="safe").dump({"groups": [{"name": "panels", "rules": rules}]}, file)

    promtool("check", "rules", "panels.yml", folder=tmp_path)


def test_the_panels_have_names_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]

    assert len({each["id"] for each in panels}) == len(panels)
    assert len({each["title"] for each in PANELS}) == len(PANELS)
    assert all(each["description"] for each in PANELS)
    assert {each["datasource"]["uid"] for each in PANELS} == {"${datasource}"}
    assert not [
        (a["title"], b["title"])
        for a, b in combinations(panels, 2)
        if overlap(a["gridPos"], b["gridPos"])
    ]


def overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    return not (beside or above)


def test_the_probe_that_is_asked_for_is_configured() -> None:
    modules = read_yaml(MONITORING / "blackbox.yml")["modules"]
    scrapes = read_yaml(MONITORING / "prometheus.yml")["scrape_configs"]
    asked = {name for each in scrapes for name in each.get("params", {}).get("module", [])}

    assert asked == set(modules)


def test_the_nginx_site_does_not_pass_metrics_on() -> None:
    site = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")

    assert re.search(r"location = \$\{BASE_PATH\}/metrics \{\s+return 404;\s+\}", site)
