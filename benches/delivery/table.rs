//! What was measured: medians of the repetitions, beside each other as a table and as JSON.

use std::time::Duration;

use serde_json::json;

use crate::{
    Outcome,
    process::{Process, Side},
};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Microseconds,
    Milliseconds,
    PerSecond,
    Kib,
    Mib,
    /// Hundredths of one core.
    OfACore,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
            Self::PerSecond => "/s",
            Self::Kib => "KiB",
            Self::Mib => "MiB",
            Self::OfACore => "% of a core",
        }
    }
}

/// One figure of both servers, one value a repetition.
struct Row {
    scenario: String,
    figure: &'static str,
    unit: Unit,
    parlor: Vec<f64>,
    floor: Vec<f64>,
}

#[derive(Default)]
pub(crate) struct Results {
    rows: Vec<Row>,
}

/// The CPU time that a server takes from here on.
pub(crate) struct Meter {
    before: Duration,
}

impl Meter {
    pub(crate) fn start(process: &Process) -> Outcome<Self> {
        Ok(Self {
            before: process.cpu()?,
        })
    }

    /// Microseconds for each of so many things.
    pub(crate) fn each(&self, process: &Process, count: usize) -> Outcome<f64> {
        let used = process.cpu()?.saturating_sub(self.before);
        Ok(used.as_secs_f64() * 1e6 / count.max(1) as f64)
    }
}

/// The value below which this part of the values lies.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = (values.len().saturating_sub(1) as f64 * part).round() as usize;
    values.get(place).copied().unwrap_or(f64::NAN)
}

fn median(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| quantile(&mut values.to_vec(), 0.5))
}

/// Three digits, for nothing here is more exact.
fn digits(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        let (parlor, floor) = (median(&self.parlor)?, median(&self.floor)?);
        (floor > 0.0).then(|| parlor / floor)
    }
}

impl Results {
    /// Takes one repetition's value.
    pub(crate) fn add(
        &mut self,
        side: Side,
        scenario: &str,
        figure: &'static str,
        unit: Unit,
        value: f64,
    ) {
        let known = self
            .rows
            .iter_mut()
            .position(|row| row.scenario == scenario && row.figure == figure);
        let place = known.unwrap_or_else(|| {
            self.rows.push(Row {
                scenario: scenario.to_owned(),
                figure,
                unit,
                parlor: Vec::new(),
                floor: Vec::new(),
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[place];
        match side {
            Side::Parlor => row.parlor.push(value),
            Side::Floor => row.floor.push(value),
        }
    }

    /// As Markdown.
    pub(crate) fn table(&self) -> String {
        let mut lines = vec![
            "| | | Parlor | floor | ratio |".to_owned(),
            "|---|---|--:|--:|--:|".to_owned(),
        ];
        let mut last = "";
        for row in &self.rows {
            let is_first = row.scenario != last;
            last = &row.scenario;
            lines.push(format!(
                "| {} | {}, {} | {} | {} | {} |",
                if is_first { last } else { "" },
                row.figure,
                row.unit.name(),
                digits(median(&row.parlor)),
                digits(median(&row.floor)),
                digits(row.ratio())
            ));
        }
        lines.join("\n")
    }

    /// As JSON, with every repetition's value.
    pub(crate) fn json(&self, is_short: bool) -> String {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "scenario": row.scenario, "figure": row.figure, "unit": row.unit.name(),
                    "parlor": median(&row.parlor), "floor": median(&row.floor), "ratio": row.ratio(),
                    "parlorValues": row.parlor, "floorValues": row.floor,
                })
            })
            .collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let all = json!({
            "version": env!("CARGO_PKG_VERSION"), "cores": cores, "isShort": is_short, "rows": rows,
        });
        format!("{all:#}\n")
    }
}
