//! Variables in the text of goose: `$NAME`, `${NAME}` and the operators of a shell that goose knows.
//!
//! - `${NAME:-text}`: `text` where NAME is not set or empty. `${NAME-text}`: where it is not set.
//! - `${NAME?text}`: an error where it is not set.
//! - `${NAME:from}`, `${NAME:from:length}`: a part of it, counted in bytes; from the end where negative.
//! - `text` may hold variables too. `$$` and `\$` are a dollar sign, `$(` and `\\` stay what they are.
//!
//! A variable without value and default is an empty text.

use super::super::super::script::Edit;
use super::script::Fault;

/// Variables in the defaults of variables.
const MAXIMUM_DEPTH: usize = 32;

/// What becomes of a line.
#[derive(Default)]
pub(super) struct Expansion {
    pub edits: Vec<Edit>,
    /// Names that have no value and no default.
    pub unset: Vec<String>,
}

/// Expands one line, which begins at the byte `start` of its text.
pub(super) fn expand(
    line: &str,
    start: usize,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Expansion, Fault> {
    let mut expander = Expander {
        line,
        at: 0,
        lookup,
        unset: Vec::new(),
    };
    let mut edits = Vec::new();
    while expander.at < line.len() {
        let before = expander.at;
        let mut with = String::new();
        let replaced = expander.item(&mut with, 0, true).map_err(|message| Fault {
            offset: start + before,
            message,
        })?;
        if replaced {
            edits.push(Edit {
                range: start + before..start + expander.at,
                with,
            });
        }
    }
    Ok(Expansion {
        edits,
        unset: expander.unset,
    })
}

struct Expander<'a> {
    line: &'a str,
    at: usize,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    unset: Vec<String>,
}

impl<'a> Expander<'a> {
    fn rest(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn take_until(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(stop).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// The next piece: a variable, an escape, or the text up to one. Whether `out` got another text than stands there.
    /// Where not `active`, nothing is looked up.
    fn item(&mut self, out: &mut String, depth: usize, active: bool) -> Result<bool, String> {
        if self.take("\\\\") {
            out.push_str("\\\\");
            return Ok(false);
        }
        if self.take("\\$") || self.take("$$") {
            out.push('$');
            return Ok(true);
        }
        if self.take("$(") {
            out.push_str("$(");
            return Ok(false);
        }
        if self.rest().len() > 1 && self.take("$") {
            self.variable(out, depth, active)?;
            return Ok(true);
        }
        let mut characters = self.rest().chars();
        if let Some(first) = characters.next() {
            self.at += first.len_utf8();
            out.push(first);
        }
        let stop = |next| matches!(next, '$' | '\\') || (depth > 0 && next == '}');
        out.push_str(self.take_until(stop));
        Ok(false)
    }

    /// Everything up to the brace that closes a variable.
    fn default(&mut self, depth: usize, active: bool) -> Result<String, String> {
        let mut text = String::new();
        while !self.rest().is_empty() && !self.rest().starts_with('}') {
            self.item(&mut text, depth, active)?;
        }
        Ok(text)
    }

    fn variable(&mut self, out: &mut String, depth: usize, active: bool) -> Result<(), String> {
        if depth >= MAXIMUM_DEPTH {
            return Err(
                "there are variables in the defaults of variables more than 32 levels deep"
                    .to_owned(),
            );
        }
        let braced = self.take("{");
        if !self.rest().starts_with(char::is_alphabetic) {
            return Err(
                "between ENVSUB ON and ENVSUB OFF a `$` begins a variable, whose name begins with a letter. Write `$$` for a \
                 dollar sign, or put ENVSUB OFF before the line"
                    .to_owned(),
            );
        }
        let name = self.take_until(|next| !next.is_alphanumeric() && next != '_');
        let value = if active { (self.lookup)(name) } else { None };
        if !braced || self.take("}") {
            if active && value.is_none() {
                self.unset.push(name.to_owned());
            }
            out.push_str(&value.unwrap_or_default());
            return Ok(());
        }
        if self.take(":-") {
            let is_set = value.as_ref().is_some_and(|value| !value.is_empty());
            let default = self.default(depth + 1, active && !is_set)?;
            out.push_str(&value.filter(|_| is_set).unwrap_or(default));
        } else if self.take("-") {
            let default = self.default(depth + 1, active && value.is_none())?;
            out.push_str(&value.unwrap_or(default));
        } else if self.take("?") {
            self.default(depth + 1, false)?;
            if active && value.is_none() {
                return Err(format!(
                    "the environment has no {name}, which is required here. Set it"
                ));
            }
            out.push_str(&value.unwrap_or_default());
        } else if self.take(":") {
            let value = value.unwrap_or_default();
            let part = self.part_of(&value, name)?;
            out.push_str(part);
        } else {
            return Err(format!(
                "`${{{name}` goes on in a way that goose does not know: it can be followed by `}}`, `:-default`, `-default`, \
                 `?message` or `:from:length`"
            ));
        }
        if self.take("}") {
            return Ok(());
        }
        Err(format!("`${{{name}` has no `}}` in this line. Add it"))
    }

    /// The bytes of a value that `from` and `:length` say.
    fn part_of<'v>(&mut self, value: &'v str, name: &str) -> Result<&'v str, String> {
        let no_number = || {
            format!(
                "`${{{name}:` must be followed by `-default`, or by the numbers of a part as in `${{{name}:0:8}}`"
            )
        };
        let number = |text: &str| text.trim().parse::<i64>().map_err(|_| no_number());
        let length = i64::try_from(value.len()).unwrap_or(i64::MAX);
        let from = number(self.take_until(|next| matches!(next, ':' | '}')))?;
        let from = if from < 0 {
            from.saturating_add(length)
        } else {
            from
        }
        .clamp(0, length);
        let mut to = length;
        if self.take(":") {
            let count = number(self.take_until(|next| next == '}'))?;
            to = if count < 0 {
                length.saturating_add(count).max(from)
            } else {
                from.saturating_add(count)
            };
        }
        let range =
            usize::try_from(from).unwrap_or(0)..usize::try_from(to.min(length)).unwrap_or(0);
        value.get(range).ok_or_else(|| {
            format!("the part of {name} begins or ends inside a character that is not ASCII. Choose another one")
        })
    }
}
