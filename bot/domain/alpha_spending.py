"""How much of a year's chance of a false promotion one look at the held-out messages may use up.

Every learning cycle is one look, each with another candidate, mostly at the same messages. Were each allowed an error
of five percent, a year of nightly looks would promote by luck alone. So the errors of all looks of any year add up to
what the year may have: a union bound with falling shares, "alpha spending" (Foster and Stine 2008, "Alpha-investing";
Tian and Ramdas 2021, "Online control of the familywise error rate"). It holds however the candidates depend on each
other and on what was promoted before.
"""

from datetime import timedelta

YEAR = timedelta(days=365)
_NIGHTS = 365
_SUM = sum(1 / look for look in range(1, _NIGHTS + 1)) + 1
"""An upper bound of the sum of the shares below over all looks: the tail 365**2 * (1/366**2 + …) / 365 is below 1."""


def share(look: int) -> float:
    """The share of a year's error that the `look`-th look within the last year may use, counted from 1.

    1 / look for as many looks as there are nights: among simple rules that costs a late look the least power (a fixed
    1 / 365 takes as much from the first). Beyond that, for somebody who trains by hand all day, falling as 1 / look².
    """
    if look < 1:
        raise ValueError(f"looks are counted from 1, not {look}")
    return (1 / look if look <= _NIGHTS else _NIGHTS / look**2) / _SUM
