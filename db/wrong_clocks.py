"""What waits for a moment waits no longer than was meant, though the clock that named it was ahead of ours.

A machine whose clock is wrong until the network has set it right, and one that is set back, leave moments in the
database that lie hours ahead. Nobody put anything off for that long.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Interval, and_, literal_column, or_
from sqlalchemy.orm import InstrumentedAttribute

Moment = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
FURTHEST: ColumnElement[timedelta] = literal_column("interval '15 minutes'", Interval())
"""Further ahead than any claim holds and any failure of ours puts off, clocks of several machines allowed for."""
FURTHEST_POST: ColumnElement[timedelta] = literal_column("interval '1 day'", Interval())
"""A platform may ask a post to wait for hours."""
HEARD_AHEAD: ColumnElement[timedelta] = literal_column("interval '1 minute'", Interval())
"""What was heard later than this from now was heard by a clock that was ahead."""


def holds(until: Moment, now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether that moment is still to come, and was named by a clock that one can believe."""
    return and_(until > now, until - FURTHEST <= now)


def due(not_before: Moment, owed: Moment, now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a post's time has come: one that was never put off is due by every clock."""
    return or_(not_before <= now, not_before == owed, not_before - FURTHEST_POST > now)


def heard_by(moment: ColumnElement[datetime], heard: Moment, now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether somebody was last heard by then."""
    return or_(heard <= moment, heard - HEARD_AHEAD > now)
