from typing import Any

import pytest

from tailrace.generate.attacks import KINDS, Attack, parse_attack
from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.options import SECOND_US, OptionError


@pytest.mark.parametrize(
    ("text", "attack"),
    [
        ("flood@30s+10s", Attack("flood", 30_000_000, 10_000_000)),
        (
            "flood@1m+500ms:client=10.0.0.1,rate=2",
            Attack("flood", 60_000_000, 500_000, key="10.0.0.1", rate=2.0),
        ),
        (
            "failing-host@0+1m:host=api_7.example.com,share=0.5,status=503,rate=0",
            Attack("failing-host", 0, 60_000_000, "api_7.example.com", 0.0, 0.5, "503"),
        ),
        ("slow-host@5+5:factor=3", Attack("slow-host", 5_000_000, 5_000_000, factor=3.0)),
    ],
)
def test_text_form(text: str, attack: Attack) -> None:
    assert parse_attack(text) == attack


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("flood", "is not of the form"),
        ("flood@30s", "is not of the form"),
        ("flood@30s+", "is not a duration"),
        ("storm@30s+10s", "no kind 'storm'"),
        ("flood@30s+0s", "a duration above 0"),
        ("flood@30s+10s:rate", "not of the form key=value"),
        ("flood@30s+10s:share=0.5", "has no setting 'share'"),
        ("flood@30s+10s:rate=much", "rate=much is not a number"),
        ("flood@30s+10s:rate=0", "would make no requests"),
        ("flood@30s+10s:rate=nan", "rate=nan"),
        ("flood@30s+10s:client=example.com", "is not an IPv4 address"),
        ("failing-host@0+1:share=1.5", "share=1.5"),
        ("failing-host@0+1:status=200", "status=200"),
        ("slow-host@0+1:factor=-1", "factor=-1.0"),
    ],
)
def test_wrong_text(text: str, complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        parse_attack(text)


@pytest.mark.parametrize("length", [{"count": 50_000}, {"duration_us": 600 * SECOND_US}, {}])
@pytest.mark.parametrize("number", [1, 4, 11])
def test_random_attacks_are_all_within_the_run(length: dict[str, Any], number: int) -> None:
    traffic = NginxTraffic(start_us=0, random_attacks=number, seed=number, **length)
    episodes = traffic.labels()
    assert len(episodes) == number
    assert {episode.kind for episode in episodes} <= set(KINDS)
    if number >= len(KINDS):
        assert {episode.kind for episode in episodes} == set(KINDS)
    ends = [episode.end_us for episode in episodes]
    assert all(end_us <= later.start_us for end_us, later in zip(ends, episodes[1:], strict=False))
    assert all(
        episode.end_us - episode.start_us == episode.attack.duration_us for episode in episodes
    )


def test_random_attacks_show_in_the_format() -> None:
    traffic = NginxTraffic(start_us=0, count=1000, random_attacks=9, format="combined")
    kinds = {episode.kind for episode in traffic.labels()}
    assert kinds == {"flood", "failing-host", "scanner"}


def test_an_episode_ends_with_the_traffic() -> None:
    attack = parse_attack("flood@8s+1h:client=10.0.0.1")
    [episode] = NginxTraffic(start_us=0, duration_us=10 * SECOND_US, attacks=(attack,)).labels()
    assert (episode.start_us, episode.end_us) == (8_000_000, 10_000_000)
    assert episode.as_json() == {
        "kind": "flood",
        "field": "client_ip",
        "key": "10.0.0.1",
        "start": "1970-01-01T00:00:08.000000Z",
        "end": "1970-01-01T00:00:10.000000Z",
        "rate": 0.5,
    }
