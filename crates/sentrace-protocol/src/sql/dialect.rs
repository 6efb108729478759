//! The databases whose SQL is told apart.

use super::reading::{self, Reading};

/// Whose SQL a statement is written in. It decides what [`parameterise`](super::parameterise) takes for a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// Not known: whatever is a literal for any database is hidden.
    #[default]
    Unknown,
    /// PostgreSQL and databases that read SQL like it.
    PostgreSql,
    /// MySQL, MariaDB and databases that read SQL like them.
    MySql,
    /// SQLite and databases that read SQL like it.
    Sqlite,
    /// Microsoft SQL Server.
    SqlServer,
    /// Oracle Database.
    Oracle,
    /// A database with commands of its own, such as Redis or `MongoDB`. Only the name of a command is shown.
    NotSql,
}

impl Dialect {
    /// Returns the dialect of a database by its `db.system` or `db.system.name`, in either case.
    ///
    /// ```
    /// use sentrace_protocol::sql::Dialect;
    ///
    /// assert_eq!(Dialect::of_system("postgresql"), Dialect::PostgreSql);
    /// assert_eq!(Dialect::of_system("mariadb"), Dialect::MySql);
    /// assert_eq!(Dialect::of_system("clickhouse"), Dialect::Unknown);
    /// ```
    pub fn of_system(system: &str) -> Self {
        const SYSTEMS: [(Dialect, &[&str]); 6] = [
            (
                Dialect::PostgreSql,
                &["postgresql", "postgres", "pgsql", "cockroachdb", "yugabytedb", "timescaledb"],
            ),
            (Dialect::MySql, &["mysql", "mariadb", "tidb"]),
            (Dialect::Sqlite, &["sqlite", "sqlite3", "libsql"]),
            (Dialect::SqlServer, &["mssql", "sqlserver", "microsoft.sql_server"]),
            (Dialect::Oracle, &["oracle", "oracle.db"]),
            (
                Dialect::NotSql,
                &[
                    "redis",
                    "valkey",
                    "memcached",
                    "mongodb",
                    "elasticsearch",
                    "opensearch",
                    "dynamodb",
                    "aws.dynamodb",
                    "couchdb",
                    "hbase",
                    "geode",
                    "neo4j",
                ],
            ),
        ];
        let system = system.trim();
        let known =
            SYSTEMS.iter().find(|(_, names)| names.iter().any(|name| system.eq_ignore_ascii_case(name)));
        known.map_or(Self::Unknown, |(dialect, _)| *dialect)
    }

    /// How it may be read: the first reading notices whether the others could differ.
    pub(super) fn readings(self) -> (Reading, &'static [Reading]) {
        match self {
            Self::Unknown => (reading::ANY, &reading::ALL),
            Self::PostgreSql => (reading::POSTGRESQL, &reading::OF_POSTGRESQL),
            Self::MySql => (reading::MYSQL, &reading::OF_MYSQL),
            Self::Sqlite => (reading::SQLITE, &[]),
            Self::SqlServer => (reading::SQL_SERVER, &reading::OF_SQL_SERVER),
            Self::Oracle => (reading::ORACLE, &reading::OF_ORACLE),
            Self::NotSql => (reading::ANY, &[]),
        }
    }
}
