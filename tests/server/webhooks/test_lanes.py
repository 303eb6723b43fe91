"""Who may run beside whom."""

from __future__ import annotations

from antiphon_server.store.webhook_deliveries import Due
from antiphon_server.webhooks.lanes import Lanes, Widths


def _due(number: int, url: str = "https://a.example/", account: str = "one") -> Due:
    return Due(
        id=f"whd_{number}", account=account, subscription_id=None, session_id="sess",
        event_id="evt", url=url, secret=None, body=b"", attempts=0, leased_until=0,
    )  # fmt: skip


def test_one_host_gets_its_lanes_and_no_more() -> None:
    """Another port is another host; another path is not."""
    lanes = Lanes(Widths(in_all=10, to_an_origin=2, for_an_account=10))
    found = [_due(number, f"https://a.example/{number}") for number in range(4)]
    other = _due(9, "https://a.example:8443/")
    assert lanes.fitting([*found, other]) == [*found[:2], other]
    assert lanes.busy_origins == {"https://a.example"}
    assert lanes.room == 7


def test_one_account_gets_its_lanes_and_no_more() -> None:
    """Whatever hosts it names."""
    lanes = Lanes(Widths(in_all=10, to_an_origin=2, for_an_account=3))
    found = [_due(number, f"https://{number}.example/") for number in range(5)]
    other = _due(9, account="two")
    assert lanes.fitting([*found, other]) == [*found[:3], other]
    assert lanes.busy_accounts == {"one"}


def test_all_lanes_together_have_an_end() -> None:
    """What left makes room."""
    lanes = Lanes(Widths(in_all=2))
    found = [_due(number, f"https://{number}.example/", str(number)) for number in range(3)]
    assert lanes.fitting(found) == found[:2]
    assert lanes.room == 0
    lanes.leave(found[0])
    assert lanes.room == 1
    assert lanes.fitting(found[2:]) == found[2:]


def test_a_copy_is_counted_separately() -> None:
    """What is tried on it leaves the lanes as they are."""
    lanes = Lanes(Widths(in_all=2))
    lanes.enter(_due(1))
    copy = lanes.copy()
    copy.enter(_due(2))
    assert (lanes.room, copy.room) == (1, 0)


def test_lanes_that_are_empty_again_are_forgotten() -> None:
    """A server that runs for years meets many hosts."""
    lanes = Lanes(Widths())
    lanes.enter(_due(1))
    lanes.leave(_due(1))
    assert not lanes._origins
    assert not lanes._accounts
