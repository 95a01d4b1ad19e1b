//! Dates, times and intervals, as far as their spelling leaves no doubt: ISO 8601, and units in words.

use super::super::TypeName;
use crate::Dialect;

const DAY: i64 = 24 * 3600 * 1_000_000;
/// So far apart are the same clock times at most, wherever they are read.
const ZONES_APART: i64 = DAY + DAY / 12;

/// Whether two literals are the same date or time to a type.
pub(super) fn same(own: &str, other: &str, data_type: &TypeName, dialect: Dialect) -> Option<bool> {
    let is_time = matches!(data_type.name.as_str(), "time" | "timetz");
    let read = |text: &str| match is_time {
        true => Moment::time(text.trim()),
        false => Moment::of(text.trim()),
    };
    let (own, other) = (read(own)?, read(other)?);
    if data_type.name == "date" {
        return Some(own.days == other.days);
    }
    let postgres = dialect == Dialect::Postgres;
    // Digits that the type does not keep.
    let kept = data_type.number(0).unwrap_or(if postgres { 6 } else { 0 });
    let step = 10_i64.pow(6 - u32::try_from(kept.min(6)).unwrap_or(6));
    let is_near = |apart: i64| apart.abs() < step;
    let apart = own.clock() - other.clock();
    let has_zone = matches!(
        (data_type.name.as_str(), dialect),
        ("timestamptz" | "timetz", _) | ("timestamp", Dialect::Mysql)
    );
    match (own.zone, other.zone) {
        _ if !has_zone => Some(is_near(apart)),
        (Some(own), Some(other)) => Some(is_near(apart - (own - other))),
        (None, None) if is_near(apart) => Some(true),
        _ => (apart.abs() > ZONES_APART).then_some(false),
    }
}

/// A date with a time, or one of them.
#[derive(Default)]
struct Moment {
    /// Since some day; none for the date of zeros.
    days: Option<i64>,
    /// Microseconds since midnight.
    time: i64,
    /// How far its zone is ahead of UTC, in microseconds.
    zone: Option<i64>,
}

impl Moment {
    fn clock(&self) -> i64 {
        // The date of zeros is far from all others.
        self.days.unwrap_or(-1_000_000) * DAY + self.time
    }

    fn of(text: &str) -> Option<Self> {
        let end = text.find([' ', 'T']).unwrap_or(text.len());
        let (date, rest) = text.split_at_checked(end)?;
        let parts: Vec<&str> = match date.split('-').collect::<Vec<_>>().as_slice() {
            ["0"] => vec!["0", "0", "0"],
            [all] if all.len() == 8 => vec![all.get(..4)?, all.get(4..6)?, all.get(6..)?],
            [year, month, day] if year.len() == 4 => vec![year, month, day],
            _ => return None,
        };
        let mut parts = parts.iter().map(|part| digits(part));
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        let time = match rest.get(1..) {
            Some(time) => Self::time(time.trim_start())?,
            None => Self::default(),
        };
        Some(Self {
            days: days(year, month, day)?,
            ..time
        })
    }

    /// `10:00`, `10:00:00.5`, `10:00:00+02`.
    fn time(text: &str) -> Option<Self> {
        let end = text
            .find(|sign: char| !(sign.is_ascii_digit() || ":.".contains(sign)))
            .unwrap_or(text.len());
        let (time, zone) = text.split_at_checked(end)?;
        let zone = match zone.trim() {
            "" => None,
            "Z" | "z" | "UTC" => Some(0),
            zone => {
                let negative = zone.starts_with('-');
                let zone = zone.strip_prefix(['+', '-'])?;
                let ahead = match zone.contains(':') {
                    true => clock(zone)?,
                    false => digits(zone).filter(|hours| *hours < 24)? * 3_600_000_000,
                };
                Some(if negative { -ahead } else { ahead })
            }
        };
        Some(Self {
            days: Some(0),
            time: clock(time)?,
            zone,
        })
    }
}

/// The day of a date since another one; `Some(None)` for the date of zeros.
fn days(year: i64, month: i64, day: i64) -> Option<Option<i64>> {
    if (year, month, day) == (0, 0, 0) {
        return Some(None);
    }
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(Some(365 * year + leaps + (153 * month + 2) / 5 + day))
}

fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.len() < 9;
    (is_number && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Microseconds of `HH:MM`, `HH:MM:SS` and `HH:MM:SS.fraction`.
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), micros)?;
    (parts.next().is_none() && minutes < 60)
        .then(|| hours * 3_600_000_000 + minutes * 60_000_000 + seconds)
}

/// A millionfold of a number, without what is less than one.
fn micros(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let padded = format!("{fraction:0<6}");
    let fraction = digits(padded.get(..6).filter(|_| is_number)?)?;
    Some(digits(whole)? * 1_000_000 + fraction)
}

/// An interval as PostgreSQL keeps it: a month has no length in days, nor a day in hours.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    months: i64,
    days: i64,
    micros: i64,
}

impl Interval {
    /// `1 year 2 mons -3 days +04:05:06`, also with other units and `ago`.
    pub fn of(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let lower = lower.strip_prefix('@').unwrap_or(&lower);
        let words = spaced(lower);
        let mut words: Vec<&str> = words.split_whitespace().collect();
        let ago = words.last() == Some(&"ago");
        if ago {
            words.pop();
        }
        let mut interval = Self::default();
        let mut words = words.into_iter().peekable();
        words.peek()?;
        while let Some(word) = words.next() {
            let negative = word.starts_with('-') != ago;
            let amount = word.strip_prefix(['+', '-']).unwrap_or(word);
            let sign = if negative { -1 } else { 1 };
            if amount.contains(':') {
                add(&mut interval.micros, sign * clock(amount)?);
            } else {
                let unit = words.next().unwrap_or("s");
                interval.add(sign, amount, unit)?;
            }
        }
        Some(interval)
    }

    fn add(&mut self, sign: i64, amount: &str, unit: &str) -> Option<()> {
        let whole = || Some(sign * digits(amount)?);
        let seconds = |length: i64| Some(sign * (micros(amount)? * length));
        match unit {
            "y" | "yr" | "yrs" | "year" | "years" => add(&mut self.months, 12 * whole()?),
            "mon" | "mons" | "month" | "months" => add(&mut self.months, whole()?),
            "w" | "week" | "weeks" => add(&mut self.days, 7 * whole()?),
            "d" | "day" | "days" => add(&mut self.days, whole()?),
            "h" | "hr" | "hrs" | "hour" | "hours" => add(&mut self.micros, seconds(3600)?),
            "m" | "min" | "mins" | "minute" | "minutes" => add(&mut self.micros, seconds(60)?),
            "s" | "sec" | "secs" | "second" | "seconds" => add(&mut self.micros, seconds(1)?),
            _ => return None,
        }
        Some(())
    }
}

fn add(sum: &mut i64, amount: i64) {
    *sum = sum.saturating_add(amount);
}

/// The text with spaces between numbers and the units that are written to them: `1day`.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut after_digit = false;
    for character in text.chars() {
        if after_digit && character.is_ascii_alphabetic() {
            out.push(' ');
        }
        after_digit = character.is_ascii_digit();
        out.push(character);
    }
    out
}
