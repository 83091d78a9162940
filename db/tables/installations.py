"""Where the bot is installed by itself, and who is about to install it."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table


class InstallationRow(Table):
    """One platform's installation. The account stays when the token is taken back: the database holds its words."""

    __tablename__ = "installations"

    platform: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    secret: Mapped[str] = mapped_column(Text)
    """Encrypted; the keys are not in here."""
    at: Mapped[datetime]


class OAuthStateRow(Table):
    """The word with which a browser comes back from an installation: kept as a digest, good once."""

    __tablename__ = "oauth_states"

    digest: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
