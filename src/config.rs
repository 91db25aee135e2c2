//! The command line. Every flag can be set by a variable too; nothing else reads the environment.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use ipnet::IpNet;

use crate::{
    model::Limits,
    transport::{Doors, Origin, Origins},
};

/// A chat server behind one GraphQL endpoint.
///
/// It keeps accounts, groups and messages in one SQLite file and serves them at /graphql, over HTTP and over WebSockets
/// (graphql-transport-ws). GraphiQL is at /.
#[derive(Debug, Parser)]
#[command(
    name = "parlor",
    version,
    after_help = "Try it:  parlor serve --demo   and open http://127.0.0.1:4000/"
)]
pub struct Cli {
    /// What to tell on standard error: a level (error, warn, info, debug), or levels by module as in parlor=debug.
    #[arg(
        long,
        env = "PARLOR_LOG",
        default_value = "warn,parlor=info",
        value_name = "LEVELS",
        global = true
    )]
    pub log: String,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve; brings the database to its newest form first, and stops cleanly on SIGTERM or Ctrl-C.
    Serve(Serve),
    /// Print the GraphQL schema.
    Schema,
    /// Bring the database to its newest form, and stop.
    Migrate(Migrate),
    /// The life of the database's history.
    #[command(subcommand)]
    Epoch(EpochCommand),
}

/// What can be done about the epoch.
#[derive(Debug, Subcommand)]
pub enum EpochCommand {
    /// Begin another one. Do this, with no server running on it, whenever a database file was restored from a backup or
    /// copied: clients then load everything anew instead of going on from a history that is no longer there.
    New(Migrate),
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address to listen at. Port 0 takes a free one; the line that says that the server is ready names it.
    #[arg(
        long,
        env = "PARLOR_LISTEN",
        default_value = "127.0.0.1:4000",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
    #[command(flatten)]
    /// Which database.
    pub database: Database,
    /// Whether people are held to so many messages a second and so many failed log-ins a minute. Off is for benchmarks.
    #[arg(
        long,
        env = "PARLOR_RATE_LIMITS",
        default_value = "on",
        value_name = "on|off"
    )]
    pub rate_limits: Switch,
    /// A web page's origin from which browsers may ask, as in <https://app.example.com>; several with commas, * for all.
    /// Pages that this server itself serves always may.
    #[arg(
        long,
        env = "PARLOR_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<Origin>,
    /// A proxy, or a network of them, whose X-Forwarded-For is believed, as in 10.0.0.0/8; several with commas. Without
    /// it a proxy's own address is everybody's, and they share the limits on failed log-ins.
    #[arg(
        long,
        env = "PARLOR_TRUSTED_PROXY",
        value_name = "NETWORK",
        value_delimiter = ',',
        value_parser = network
    )]
    pub trusted_proxy: Vec<IpNet>,
    /// Whether clients may ask what the schema is. Left out: on with --demo.
    #[arg(long, env = "PARLOR_INTROSPECTION", value_name = "on|off")]
    pub introspection: Option<Switch>,
    /// Whether an error about an unknown name proposes names that there are. Left out: on with --demo.
    #[arg(long, env = "PARLOR_SUGGESTIONS", value_name = "on|off")]
    pub suggestions: Option<Switch>,
    /// Whether GraphiQL is served at /. Left out: on with --demo.
    #[arg(long, env = "PARLOR_GRAPHIQL", value_name = "on|off")]
    pub graphiql: Option<Switch>,
    /// Whether what is counted, for monitoring, is served at /metrics: to whoever can reach this address.
    #[arg(
        long,
        env = "PARLOR_METRICS",
        default_value = "off",
        value_name = "on|off"
    )]
    pub metrics: Switch,
    /// Die when a point of the program is reached so many times, as in after-commit:17. For tests.
    #[cfg(feature = "faults")]
    #[arg(long, hide = true)]
    pub die_at: Option<crate::fault::Death>,
    /// Fill an empty database with a few people and their conversations, and print how to sign in as each.
    #[arg(long, env = "PARLOR_DEMO")]
    pub demo: bool,
}

/// Flags of `migrate` and `epoch new`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
}

/// Where the data is.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// Its address.
    #[arg(
        long,
        env = "PARLOR_DATABASE_URL",
        default_value = "sqlite://parlor.db?mode=rwc",
        value_name = "URL",
        help = "The database: sqlite://PATH, with ?mode=rwc to make the file when it is not there"
    )]
    pub database_url: String,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Held.
    On,
    /// Not held.
    Off,
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let read: Result<IpNet, String> = text
        .parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| {
            "a network is written like 10.0.0.0/8 or fd00::/8, or as one address".to_owned()
        });
    // An address of the fourth version is compared as one, however it is written.
    match read? {
        IpNet::V6(network) if network.prefix_len() >= 96 => {
            let v4 = network.addr().to_ipv4_mapped();
            let v4 = v4.and_then(|v4| IpNet::new(v4.into(), network.prefix_len() - 96).ok());
            Ok(v4.unwrap_or(network.into()))
        }
        network @ (IpNet::V4(_) | IpNet::V6(_)) => Ok(network),
    }
}

impl Serve {
    /// What a test planted.
    #[cfg(feature = "faults")]
    pub fn faults(&self) -> crate::fault::Faults {
        let death = self.die_at.clone();
        crate::fault::Faults {
            fault: None,
            hook: death.map(|death| std::sync::Arc::new(death) as _),
        }
    }

    /// Nothing is planted.
    #[cfg(not(feature = "faults"))]
    pub fn faults(&self) -> crate::fault::Faults {
        crate::fault::Faults
    }

    /// The bounds, as these flags set them.
    pub fn limits(&self) -> Limits {
        Limits {
            rate_limits: self.rate_limits == Switch::On,
            introspection: self.shows(self.introspection),
            suggestions: self.shows(self.suggestions),
            ..Limits::default()
        }
    }

    /// Who may come in, as these flags say.
    pub fn doors(&self) -> Doors {
        Doors {
            origins: Origins::new(self.allow_origin.clone()),
            proxies: self.trusted_proxy.clone(),
            graphiql: self.shows(self.graphiql),
            metrics: self.metrics == Switch::On,
        }
    }

    /// What helps people to explore is for the demo, unless somebody decides.
    fn shows(&self, switch: Option<Switch>) -> bool {
        switch.map_or(self.demo, |switch| switch == Switch::On)
    }
}

/// Threads that serve sockets, unless `TOKIO_WORKER_THREADS` says how many: one fewer than there are cores. The log and
/// SQLite have threads of their own, which between them keep one core busy while messages are written; where there is a
/// thread too many each takes the processor from the others in the middle of their work. On two cores a sixth of all
/// sends was lost to that.
pub fn workers() -> Option<usize> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let is_set = std::env::var_os("TOKIO_WORKER_THREADS").is_some();
    (!is_set).then_some(cores.saturating_sub(1).max(1))
}
