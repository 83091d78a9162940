"""The files in deploy/ are accepted by the programs that read them, and name only metrics that exist.

A program that is not installed here is not run; the metrics are checked everywhere.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.decisions import Author, Opinion
from bot.http.metrics import Metrics
from bot.http.model_figures import ModelFigures
from bot.http.process_figures import LinkFigures, StepFigures
from db.engine import Database
from db.failed_items import PostgresFailedItems
from db.queries import PostgresQueries
from tests.acceptance.processes import REPOSITORY
from tests.acceptance.test_readme import SECRETS

DEPLOY = REPOSITORY / "deploy"
_FIGURE = re.compile(r"\bswitchboard_\w+")
_CHOSEN = re.compile(r"\b(switchboard_\w+)\{(\w+)=\"(\w+)\"")
_CREDENTIAL = re.compile(r"^#? ?LoadCredential=(\w+):", re.MULTILINE)


def ran(program: str, *arguments: str, at: Path = DEPLOY) -> None:
    """Run an installed program; skip the test if it is not installed."""
    found = shutil.which(program, path="/usr/bin:/usr/sbin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{program} is not installed here")
    done = subprocess.run([found, *arguments], cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")],
)
def test_prometheus_takes_the_alarms_and_they_ring_when_they_should(arguments: Sequence[str]) -> None:
    ran("promtool", *arguments, at=DEPLOY / "monitoring")


async def test_alarms_and_dashboard_look_at_figures_that_there_are(database: Database) -> None:
    model = ModelFigures()
    model.heard("routing", [[Opinion(Author.MODEL, {"billing": 1.0})]])
    more = [StepFigures(), LinkFigures({"slack": lambda: True}), model]
    metrics = Metrics(PostgresQueries(database), lambda: datetime.now(UTC), PostgresFailedItems(database), more=more)
    await metrics.refresh()
    families = list(metrics.registry.collect())
    samples = [sample for family in families for sample in family.samples]
    there = {family.name for family in families} | {sample.name for sample in samples}
    valued = {(sample.name, label, value) for sample in samples for label, value in sample.labels.items()}
    alarms = (DEPLOY / "monitoring" / "alerts.yml").read_text("utf-8")
    dashboard = json.loads((DEPLOY / "monitoring" / "dashboards" / "switchboard.json").read_text("utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(asked) > 10
    assert {name for text in (alarms, *asked) for name in _FIGURE.findall(text)} <= there
    chosen = {found for text in (alarms, *asked) for found in _CHOSEN.findall(text)}
    here = {name for name, _, _ in valued}
    assert ("switchboard_week", "what", "decided") in chosen
    assert {found for found in chosen if found[0] in here} <= valued, "an alarm on a label that nobody sets never rings"


@pytest.mark.parametrize("unit", ["switchboard.service", "switchboard-backup.service", "switchboard-backup.timer"])
def test_systemd_takes_the_units(unit: str, tmp_path: Path) -> None:
    for file in DEPLOY.glob("switchboard*.*"):  # the program that it starts is not installed here
        text = file.read_text("utf-8").replace("/opt/switchboard/.venv/bin/switchboard", "/bin/true")
        (tmp_path / file.name).write_text(text, "utf-8")
    ran("systemd-analyze", "verify", "--man=no", unit, at=tmp_path)


@pytest.mark.parametrize("unit", ["switchboard.service", "switchboard-backup.service"])
def test_systemd_finds_little_that_a_unit_is_exposed_to(unit: str) -> None:
    """On systemd's own scale: at most 1.7 of 10."""
    ran("systemd-analyze", "security", "--offline=true", "--threshold=17", unit)


def test_a_backup_is_given_what_the_bot_is_given() -> None:
    """Without the database's address, for example, it would back up another database."""
    given = [
        _CREDENTIAL.findall((DEPLOY / f"{unit}.service").read_text("utf-8"))
        for unit in ("switchboard", "switchboard-backup")
    ]
    assert given[0] == given[1]


def test_credentials_of_the_units_are_secrets_that_we_read() -> None:
    named = {name for file in DEPLOY.glob("*.service") for name in _CREDENTIAL.findall(file.read_text("utf-8"))}
    assert {"SLACK_BOT_TOKEN", "TELEGRAM_BOT_TOKEN", "DATABASE_URL"} <= named <= {*SECRETS, "DATABASE_URL"}


def test_nginx_takes_the_proxy(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    ran("openssl", *f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=x -keyout {key} -out {certificate}".split())
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    text = text.replace("/etc/letsencrypt/live/bot.example.com/privkey.pem", str(key))
    text = text.replace("/etc/letsencrypt/live/bot.example.com/fullchain.pem", str(certificate))
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\n{text}", "utf-8")
    ran("nginx", "-t", "-p", str(tmp_path), "-e", str(tmp_path / "log"), "-c", str(tmp_path / "nginx.conf"))


def test_logrotate_takes_the_logs(tmp_path: Path) -> None:
    text = (DEPLOY / "logrotate.conf").read_text("utf-8").replace("su switchboard switchboard", "su root root")
    (tmp_path / "logrotate.conf").write_text(text, "utf-8")
    (tmp_path / "logrotate.conf").chmod(0o644)
    ran("logrotate", "--debug", "--state", str(tmp_path / "state"), str(tmp_path / "logrotate.conf"))
