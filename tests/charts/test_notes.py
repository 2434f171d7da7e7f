"""What Helm prints after an install of the umbrella, which prints no subchart's notes."""

from __future__ import annotations

import pytest

from tests.charts.rendering import helm, scenario

BEHIND = ("--set", "global.publicUrl=https://shop.example.com,shell.ingress.enabled=true")


def notes(*options: str, chart: str = "polysession") -> str:
    arguments = ("install", "one", f"charts/{chart}", "--namespace", "shop", "--dry-run=client")
    done = helm(*arguments, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("NOTES:")[2]


def doors(said: str) -> list[str]:
    return [line.split("#")[0].strip() for line in said.splitlines() if "port-forward svc/" in line]


def test_the_notes_say_how_to_open_prometheus_alertmanager_and_jaeger_as_far_as_they_are_on():
    prometheus, alertmanager, jaeger = (
        f"kubectl --namespace shop port-forward svc/one-{name} {port}"
        for name, port in (("prometheus", 9090), ("alertmanager", 9093), ("jaeger", 16686))
    )
    assert doors(notes()) == doors(notes(chart="observability")) == [prometheus, alertmanager, jaeger]
    assert doors(notes("--set", "observability.alertmanager.enabled=false")) == [prometheus, jaeger]
    assert doors(notes(*scenario("monitoring"))) == []
    assert doors(notes(*scenario("production"))) == []
    assert "Look into it" not in notes(*scenario("monitoring"))


def test_the_notes_warn_when_sign_in_limits_cannot_tell_clients_apart():
    assert "set shell.trustedProxies to its networks" in notes(*BEHIND)
    assert "set trustedProxies to its networks" in notes(
        "--set", "global.publicUrl=https://shop.example.com,ingress.enabled=true", chart="react-shell"
    )
    assert "trustedProxies" not in notes(*BEHIND, "--set", "shell.trustedProxies={10.0.0.0/8}")
    assert "trustedProxies" not in notes()


@pytest.mark.parametrize(
    ("options", "secret"),
    [
        ("secrets.rotation=2", "one-session-keys"),
        ("secrets.rotation=2,global.sessionKeys.existingSecret=mine", "one-credentials"),
    ],
)
def test_the_notes_say_where_the_last_rotation_is_remembered(options: str, secret: str):
    said = notes("--set", options)
    assert f"get secret {secret} --output jsonpath='{{.metadata.annotations.polysession/rotation}}'" in said
    assert "rotation" not in notes()


def test_the_notes_say_what_helm_test_leaves_behind():
    assert "leaves an account trial-… and its order behind" in notes()
