"""What a profile says: what the columns of a database really hold."""

import msgspec


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Part of a profile."""


class Seen(Word, frozen=True, kw_only=True):
    """A value and where it stands. value, key: as literals of SQL, long ones cut (`...`); key: `column = literal`, or the rowid."""

    value: str
    key: str


class Numbers(Word, frozen=True, kw_only=True):
    """Numbers of a column, those that are texts left out. decimals: of the shortest decimals of its floats, number by number of decimals.

    whole_reals: floats without a fraction. infinite, negative_zeros: which numeric has no place for.
    """

    smallest: Seen | None = None
    largest: Seen | None = None
    decimals: dict[int, int] = {}
    whole_reals: int = 0
    infinite: int = 0
    negative_zeros: int = 0


class Texts(Word, frozen=True, kw_only=True):
    """Texts of a column. kinds: what they are, each text counted once. lengths in letters.

    kinds are `empty`, `number`, `date or time`, `boolean word`, `null word`, `JSON`, `text`, `NUL byte`, `not UTF-8`.
    """

    kinds: dict[str, int]
    shortest: int
    longest: int
    smallest: Seen | None = None
    largest: Seen | None = None
    formats: dict[str, int] = {}
    plus: int = 0
    dollar: int = 0
    commas: int = 0
    leading_zeros: int = 0
    decimals: dict[int, int] = {}


class MoneyGuess(Word, frozen=True, kw_only=True):
    """The column seems to hold money. unit: `dollars`, `cents` or `unclear`. scale: most decimals of it. why: what speaks for it."""

    unit: str
    scale: int
    why: str


class Outlier(Word, frozen=True, kw_only=True):
    """Values of a kind that the column seldom has. seen: the first of them."""

    kind: str
    rows: int
    seen: tuple[Seen, ...]


class ColumnProfile(Word, frozen=True, kw_only=True):
    """One column. storage: cells by storage class. distinct: different values, NULL not counted.

    values: all of them with their number, as literals, where there are few. booleans: the spellings, where it holds nothing else.
    zone: of its dates with times: `none` said, `UTC`, `offset`, or `mixed`. epoch: `s`, `ms`, `us` or `ns`, where its whole numbers may be
    instants.
    """

    name: str
    declared: str
    storage: dict[str, int]
    distinct: int
    empties: int = 0
    numbers: Numbers | None = None
    texts: Texts | None = None
    longest_blob: int | None = None
    values: dict[str, int] = {}
    booleans: tuple[str, ...] = ()
    zone: str | None = None
    epoch: str | None = None
    money: MoneyGuess | None = None
    outliers: tuple[Outlier, ...] = ()

    @property
    def filled(self) -> int:
        """Return how many cells are not NULL."""
        return sum(self.storage.values()) - self.storage.get("null", 0)


class TableProfile(Word, frozen=True, kw_only=True):
    """One table. unread: why it could not be read."""

    name: str
    rows: int
    key: tuple[str, ...]
    columns: tuple[ColumnProfile, ...]
    unread: str = ""


class OrphanRows(Word, frozen=True, kw_only=True):
    """Rows whose foreign key leads nowhere."""

    table: str
    parent: str
    rows: int


class DatabaseProfile(Word, frozen=True, kw_only=True):
    """One database. digest: of the state that was read. dirty_rows: which break their table's own rules."""

    path: str
    digest: str
    size_bytes: int
    encoding: str
    journal_mode: str
    sqlite_version: str
    tables: tuple[TableProfile, ...]
    dirty_rows: int = 0
    orphans: tuple[OrphanRows, ...] = ()


class Profile(Word, frozen=True, kw_only=True):
    """Of one or several databases."""

    databases: tuple[DatabaseProfile, ...]
