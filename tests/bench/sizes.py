"""How much is measured: enough for a figure, or just enough to see that every bench still runs."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Sizes:
    rounds: int = 3
    connections: int = 64
    intake_seconds: float = 6           # of a round
    intake_reference: int = 80_000      # messages of a round
    intake_rate: float = 5_000          # of the open loop
    open_seconds: float = 15
    line_seconds: float = 30
    line_rate: float = 500              # for times
    confirmed: int = 6_000              # tickets whose creators are told
    mails: int = 5_000                  # in a mailbox
    parsed: int = 3_000                 # mails in a round of the parser
    creates: int = 2_000
    allowances: tuple = ((0, 60), (10.0, 30), (20.0, 90))  # (seconds since the first create, creates a second)
    latency: float = 0.2                # of the far side
    few: int = 1_000                    # tickets that a store is called small with
    many: int = 1_000_000
    flat_seconds: float = 15
    looks: int = 500                    # at a list
    claims: int = 200
    idle_seconds: float = 20
    load_rate: float = 1_000
    load_seconds: float = 10


SMOKE = Sizes(rounds=1, connections=8, intake_seconds=0.5, intake_reference=500, intake_rate=50, open_seconds=1, line_seconds=1, line_rate=50, confirmed=20, mails=30, parsed=40, creates=40,
              allowances=((0, 20), (0.7, 10), (1.5, 30)), latency=0.05, few=50, many=500, flat_seconds=1, looks=20, claims=10, idle_seconds=1, load_rate=50, load_seconds=1)
