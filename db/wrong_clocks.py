"""Limits how long anything waits for a moment that was set by a clock ahead of ours.

A machine whose clock is wrong until the network has set it right, and one that is set back, leave moments in the
database that lie hours ahead. Nobody put anything off for that long.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Interval, and_, literal_column, or_
from sqlalchemy.orm import InstrumentedAttribute

Moment = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
FURTHEST: ColumnElement[timedelta] = literal_column("interval '15 minutes'", Interval())
"""Longer than any claim holds and any failure of ours postpones, with room for the differing clocks of several
machines."""
FURTHEST_POST: ColumnElement[timedelta] = literal_column("interval '1 day'", Interval())
"""The same for posts: a platform may ask a post to wait for hours."""
HEARD_AHEAD: ColumnElement[timedelta] = literal_column("interval '1 minute'", Interval())
"""A message heard further ahead than this was stored by a clock that was ahead."""


def holds(until: Moment, now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether that moment is still to come, and close enough to be true."""
    return and_(until > now, until - FURTHEST <= now)


def due(not_before: Moment, owed: Moment, now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a post's time has come: a post that was never postponed is due by every clock."""
    return or_(not_before <= now, not_before == owed, not_before - FURTHEST_POST > now)


def heard_by(moment: ColumnElement[datetime], heard: Moment, now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether the person was last heard by `moment`."""
    return or_(heard <= moment, heard - HEARD_AHEAD > now)
