//! Opening a database: one process at a time, brought to the newest form, with the settings that durability rests on
//! read back before anything is promised.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use entity::origin;
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr, EntityTrait, IntoActiveModel,
    QueryTrait,
    sea_query::Expr,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    Cause, Error, Store, Writer,
    write::{BUSY_TIMEOUT, WriteConnection},
};
use crate::model::{Epoch, Random};

/// Shards of a SQLite database: it has one writer whatever we do.
const SQLITE_SHARDS: i32 = 1;

/// Why a database cannot be used; each is one clear line.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an address that this program knows.
    #[error("the database address `{0}` is not of the form sqlite://PATH?mode=rwc")]
    Address(String),
    /// Every connection would have a memory of its own.
    #[error(
        "an in-memory database is not supported: name a file, as in sqlite://parlor.db?mode=rwc"
    )]
    Memory,
    /// Another process serves it.
    #[error("the database {} is in use by another parlor", .0.display())]
    InUse(PathBuf),
    /// The path cannot be written.
    #[error("cannot write beside the database {}: {source}", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite cannot open it.
    #[error("cannot open the database {}: {source}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Cause,
    },
    /// A setting did not hold; without it a power cut could lose what was acknowledged.
    #[error("the database keeps {setting}={found} where {wanted} is needed")]
    Setting {
        /// Which.
        setting: &'static str,
        /// As it is.
        found: String,
        /// As it must be.
        wanted: &'static str,
    },
}

/// A database that is ready.
#[derive(Debug)]
pub struct Opened {
    /// For reading.
    pub store: Store,
    /// For the log.
    pub writer: Writer,
}

/// Opens and migrates the database at `url` (`sqlite://PATH?mode=rwc`).
pub async fn open(url: &str, random: &Random) -> Result<Opened, OpenError> {
    let path = real_path(&sqlite_path(url)?);
    let lock = lock(&path)?;
    let unusable = |source: DbErr| OpenError::Unusable {
        path: path.clone(),
        source: source.into(),
    };
    let db = connect(url, 1, false).await.map_err(unusable)?;
    let connection = WriteConnection::open(&path)?;
    Migrator::up(&db, None).await.map_err(unusable)?;
    let (shards, epoch) = origin(&db, random).await.map_err(unusable)?;
    // More readers than cores only wait for each other.
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut readers = connect(url, u32::try_from(cores.max(2)).unwrap_or(2), true)
        .await
        .map_err(unusable)?;
    let statements = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&statements);
    readers.set_metric_callback(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let recent = super::recent::load(&db).await.map_err(unusable)?;
    let memory = Arc::new(super::memory::Memory::new(recent));
    Ok(Opened {
        store: Store {
            db: readers,
            shards,
            epoch,
            statements,
            memory: Arc::clone(&memory),
        },
        writer: Writer {
            db,
            connection,
            memory,
            _lock: lock,
        },
    })
}

fn sqlite_path(url: &str) -> Result<PathBuf, OpenError> {
    let rest = url
        .strip_prefix("sqlite:")
        .ok_or_else(|| OpenError::Address(url.to_owned()))?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split('?').next().unwrap_or_default();
    if path == ":memory:" || url.contains("mode=memory") {
        return Err(OpenError::Memory);
    }
    match url.parse::<SqliteConnectOptions>() {
        // As those who read understand it: `%20` is a space. All connections have to be to one file, in one way.
        Ok(options) if !path.is_empty() && !url.contains("vfs=") => {
            Ok(options.get_filename().to_owned())
        }
        Ok(_) | Err(_) => Err(OpenError::Address(url.to_owned())),
    }
}

/// The path without links, so that one database has one name. What is not there yet has its directory's.
fn real_path(path: &Path) -> PathBuf {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let inside = || Some(directory.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize()
        .ok()
        .or_else(inside)
        .unwrap_or_else(|| path.to_owned())
}

/// Takes the one place for a serving process. A file of its own: closing any handle of the database file itself would
/// drop SQLite's locks on it.
fn lock(database: &Path) -> Result<File, OpenError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let unwritable = |source| OpenError::Unwritable {
        path: database.to_owned(),
        source,
    };
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::Unwritable {
            path: database.to_owned(),
            source,
        }),
    }
}

async fn connect(
    url: &str,
    connections: u32,
    read_only: bool,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(None)
        .max_lifetime(None)
        // A connection to a file does not go away by itself; asking before each use costs a hop between threads.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |options| {
            let options = options
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(true)
                .statement_cache_capacity(512)
                .pragma("temp_store", "MEMORY");
            if read_only {
                options.pragma("query_only", "ON")
            } else {
                options
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
            }
        });
    Database::connect(options).await
}

/// Reads where this history began; a new database begins one.
async fn origin(db: &DatabaseConnection, random: &Random) -> Result<(u16, Epoch), DbErr> {
    let row = if let Some(row) = origin::Entity::find_by_id(1).one(db).await? {
        row
    } else {
        super::shard::create(db, SQLITE_SHARDS).await?;
        let row = origin::Model {
            id: 1,
            epoch: random.bytes::<16>().to_vec(),
            shards: SQLITE_SHARDS,
        };
        origin::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(db)
            .await?;
        row
    };
    let shards = u16::try_from(row.shards);
    let shards = shards.map_err(|_| DbErr::Custom(format!("{} shards", row.shards)))?;
    let epoch = row.epoch.try_into();
    let epoch = epoch.map_err(|_| DbErr::Custom("the epoch has another length".to_owned()))?;
    Ok((shards, Epoch(epoch)))
}

impl Writer {
    /// Begins another epoch: every cursor from before is refused, and its holder loads everything anew.
    pub async fn begin_epoch(&mut self, random: &Random) -> Result<Epoch, Error> {
        let epoch = random.bytes::<16>();
        let update = origin::Entity::update_many()
            .col_expr(origin::Column::Epoch, Expr::value(epoch.to_vec()));
        self.connection.begin().await?;
        self.connection
            .run_all(&[update.build(DbBackend::Sqlite)])?;
        self.connection.commit()?;
        Ok(Epoch(epoch))
    }
}
