"""The commands of charts/UPGRADING.md name what a release has. They were run on PostgreSQL 15, beside open transactions."""

from __future__ import annotations

import re

import pytest

from tests.charts.rendering import CHARTS, ROOT, Object, objects

PAGE = (CHARTS / "UPGRADING.md").read_text().partition("## PostgreSQL: a backup")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def postgres() -> Object:
    return next(
        one
        for one in objects("polysession")
        if one["kind"] == "StatefulSet" and "postgres" in one["metadata"]["name"]
    )


def test_the_pod_is_the_one_that_is_asked(postgres: Object):
    assert set(re.findall(r"exec(?: --stdin)? (\S+) --", PAGE)) == {f"{postgres['metadata']['name']}-0"}
    assert postgres["spec"]["replicas"] == 1
    assert len(postgres["spec"]["template"]["spec"]["containers"]) == 1


def test_every_database_is_saved_and_brought_back():
    made = next(
        one["data"]["databases.sh"] for one in objects("polysession") if "databases.sh" in one.get("data", {})
    )
    databases = re.findall(r"^for service in (.*); do$", made, re.M)
    assert databases
    assert re.findall(r"^for database in (.*); do$", PAGE, re.M) == [*databases, *databases]


def test_the_secrets_are_those_that_stay():
    (named,) = re.findall(r"get secret (\S+ \S+)", PAGE)
    role = next(one for one in objects("polysession") if one["kind"] == "Role" and "keys" in str(one))
    assert sorted(named.split()) == sorted(role["rules"][0]["resourceNames"])


def test_the_generation_is_a_column_of_the_accounts():
    accounts = ROOT / "services/django-users/src/users/accounts"
    (table,) = re.findall(r"UPDATE (\w+) SET session_generation = session_generation \+", PAGE)
    (label,) = re.findall(r'label = "(\w+)"', (accounts / "apps.py").read_text())
    models = (accounts / "models.py").read_text()
    assert table == f"{label}_account"
    assert "class Account(" in models
    assert "db_table" not in models
    assert "session_generation = models." in models


def test_the_migrations_are_found_by_their_label():
    (named,) = re.findall(r"component in \(([^)]+)\)", PAGE)
    jobs = [
        one for one in objects("polysession") if one["kind"] == "Job" and "-db-" in one["metadata"]["name"]
    ]
    labels = [one["metadata"]["labels"]["app.kubernetes.io/component"] for one in jobs]
    assert sorted(named.split(", ")) == sorted(labels)
