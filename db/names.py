"""What the database, its schema and its roles are called; one place for the defaults of DESIGN section 7."""

from dataclasses import dataclass

from psycopg import sql


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseNames:
    """Names of one installation. owner: has all tables; login: of the process; writer, reader: what it works as."""

    database: str = "rec_io_db"
    schema: str = "watchkeeper"
    owner: str = "rec_admin"
    login: str = "rec_io_user"
    writer: str = "rec_writer"
    reader: str = "rec_reader"

    @property
    def roles(self) -> tuple[str, str, str, str]:
        """All roles, in the order in which they are made."""
        return (self.owner, self.writer, self.reader, self.login)

    def identifiers(self) -> dict[str, sql.Identifier]:
        """Return the names, quoted, for `sql.SQL(...).format`."""
        return {
            "database": sql.Identifier(self.database),
            "schema": sql.Identifier(self.schema),
            "owner": sql.Identifier(self.owner),
            "login": sql.Identifier(self.login),
            "writer": sql.Identifier(self.writer),
            "reader": sql.Identifier(self.reader),
        }
