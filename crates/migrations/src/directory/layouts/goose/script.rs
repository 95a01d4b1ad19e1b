//! One file of goose, line by line: which lines are the up script and which the down script.

use std::ops::Range;

use forerun_sql::Dialect;

use super::super::super::ReadOptions;
use super::super::super::script::Edit;
use super::expand::expand;

/// Both directions of a file.
pub(super) struct Sides {
    pub up: Side,
    pub down: Option<Side>,
    pub no_transaction: bool,
    /// Line and name of variables that have no value and no default.
    pub unset: Vec<(u64, String)>,
}

/// What of the text belongs to one direction.
#[derive(Default)]
pub(super) struct Side {
    pub keep: Vec<Range<usize>>,
    pub edits: Vec<Edit>,
}

/// What goose would not accept.
#[derive(Debug)]
pub(super) struct Fault {
    /// Byte of the text.
    pub offset: usize,
    /// What is wrong and what to do.
    pub message: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Up,
    Down,
    StatementBegin,
    StatementEnd,
    NoTransaction,
    EnvsubOn,
    EnvsubOff,
}

/// Spellings, in the order in which messages list them; case does not matter.
const DIRECTIVES: [(&str, Directive); 7] = [
    ("Up", Directive::Up),
    ("Down", Directive::Down),
    ("StatementBegin", Directive::StatementBegin),
    ("StatementEnd", Directive::StatementEnd),
    ("NO TRANSACTION", Directive::NoTransaction),
    ("ENVSUB ON", Directive::EnvsubOn),
    ("ENVSUB OFF", Directive::EnvsubOff),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Foreword,
    Up,
    Down,
}

/// Between `StatementBegin` and `StatementEnd`.
struct Block {
    start: usize,
    /// Its last line that is neither empty nor a comment ends with a semicolon.
    terminated: bool,
}

struct Parser<'a> {
    text: &'a str,
    options: &'a ReadOptions,
    part: Part,
    block: Option<Block>,
    /// A statement has begun. Only then goose takes comments for a part of it.
    in_statement: bool,
    /// A block without any statement has just ended.
    after_empty_block: bool,
    envsub: bool,
    no_transaction: bool,
    up: Side,
    down: Side,
    /// Start of the lines that are not yet in a side.
    kept_from: usize,
    line_number: u64,
    unset: Vec<(u64, String)>,
}

/// Takes a file apart.
pub(super) fn sides(text: &str, options: &ReadOptions) -> Result<Sides, Fault> {
    let mut parser = Parser {
        text,
        options,
        part: Part::Foreword,
        block: None,
        in_statement: false,
        after_empty_block: false,
        envsub: false,
        no_transaction: false,
        up: Side::default(),
        down: Side::default(),
        kept_from: 0,
        line_number: 0,
        unset: Vec::new(),
    };
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
    for end in ends.chain([text.len()]) {
        if start < end {
            parser.line(start..end)?;
        }
        start = end;
    }
    parser.finish()
}

impl Parser<'_> {
    fn line(&mut self, range: Range<usize>) -> Result<(), Fault> {
        self.line_number += 1;
        let whole = self.text.get(range.clone()).unwrap_or_default();
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim();
        let is_comment = content.starts_with("--");
        if is_comment && line.contains(super::MARKER) {
            let directive = directive(line).map_err(|message| Fault {
                offset: range.start,
                message,
            })?;
            return self.directive(directive, range, line.len());
        }
        if !self.in_statement && (is_comment || line.is_empty()) {
            self.separate_dashes(content, range.start + line.len() - line.trim_start().len());
            return Ok(());
        }
        if self.part == Part::Foreword {
            if content.is_empty() {
                return Ok(());
            }
            return Err(Fault {
                offset: range.start,
                message:
                    "there is SQL before `-- +goose Up`, which goose does not accept. Move it below"
                        .to_owned(),
            });
        }
        if std::mem::take(&mut self.after_empty_block) {
            if content.is_empty() {
                return Ok(());
            }
            return Err(Fault {
                offset: range.start,
                message: "goose leaves this line out, since it follows a StatementBegin and StatementEnd with nothing \
                          between them; forerun would run it. Remove the two comments if it is to run, or else the line"
                    .to_owned(),
            });
        }
        if self.envsub && memchr::memchr2(b'$', b'\\', line.as_bytes()).is_some() {
            let variables = &self.options.variables;
            let expansion = expand(line, range.start, &|name| variables.environment(name))?;
            let number = self.line_number;
            let unset = expansion.unset.into_iter();
            self.unset.extend(unset.map(|name| (number, name)));
            self.side().edits.extend(expansion.edits);
        }
        self.in_statement = true;
        match &mut self.block {
            Some(block) if !content.is_empty() && !is_comment => {
                // Whether a semicolon behind a comment is one, only the splitter can tell; one too many does no harm.
                block.terminated =
                    content.ends_with(';') && !content.contains("--") && !content.contains('#');
            }
            Some(_) => {}
            None if ends_statement(line) => self.in_statement = false,
            None => {}
        }
        Ok(())
    }

    fn directive(
        &mut self,
        directive: Directive,
        range: Range<usize>,
        length: usize,
    ) -> Result<(), Fault> {
        let fault = |message: &str| {
            Err(Fault {
                offset: range.start,
                message: message.to_owned(),
            })
        };
        match directive {
            Directive::Up if self.part != Part::Foreword => {
                return fault(
                    "there is a second `-- +goose Up`: a file has one. Remove it, or make two files",
                );
            }
            Directive::Down if self.part == Part::Foreword => {
                return fault(
                    "`-- +goose Up` must come before `-- +goose Down`. Add it, also when nothing follows it",
                );
            }
            Directive::Down if self.block.is_some() => {
                return fault(
                    "`-- +goose Down` stands between StatementBegin and StatementEnd. Add the StatementEnd before it",
                );
            }
            Directive::Down if self.part == Part::Down => {
                return fault(
                    "there is a second `-- +goose Down`: a file has one. Remove it, or make two files",
                );
            }
            Directive::StatementBegin if self.part == Part::Foreword => {
                return fault(
                    "StatementBegin must come after `-- +goose Up` or `-- +goose Down`. Move it below",
                );
            }
            Directive::StatementBegin if self.block.is_some() => {
                return fault(
                    "StatementBegin stands in another one. Add the StatementEnd before it",
                );
            }
            Directive::StatementEnd if self.block.is_none() => {
                return fault(
                    "there is no StatementBegin for this StatementEnd. Add it, or remove this one",
                );
            }
            _ => {}
        }
        let mut removed = range.clone();
        match directive {
            Directive::NoTransaction => self.no_transaction = true,
            Directive::EnvsubOn => self.envsub = true,
            Directive::EnvsubOff => self.envsub = false,
            Directive::StatementBegin => {
                self.after_empty_block = false;
                self.block = Some(Block {
                    start: range.start,
                    terminated: false,
                });
            }
            Directive::StatementEnd => {
                let terminated = self.block.take().is_none_or(|block| block.terminated);
                let empty = !std::mem::take(&mut self.in_statement);
                self.after_empty_block = empty;
                if !terminated && !empty {
                    // It ends the statement, so a semicolon takes its place.
                    removed = range.end..range.end;
                    let comment = range.start..range.start + length;
                    self.side().edits.push(Edit {
                        range: comment,
                        with: ";".to_owned(),
                    });
                }
            }
            Directive::Up | Directive::Down => {}
        }
        self.keep_until(removed.start);
        self.kept_from = removed.end;
        match directive {
            Directive::Up => self.part = Part::Up,
            Directive::Down => {
                self.part = Part::Down;
                self.in_statement = false;
                self.after_empty_block = false;
            }
            _ => {}
        }
        Ok(())
    }

    /// MySQL takes `--` for a comment only before a space. goose leaves comments between statements out, so that
    /// `-----` works there; with a space it is a comment everywhere.
    fn separate_dashes(&mut self, comment: &str, offset: usize) {
        let mysql = matches!(self.options.dialect, None | Some(Dialect::Mysql));
        let glued = comment
            .strip_prefix("--")
            .and_then(|rest| rest.chars().next())
            .is_some_and(|next| !next.is_ascii_whitespace() && !next.is_ascii_control());
        if mysql && glued {
            self.side().edits.push(Edit {
                range: offset + 2..offset + 2,
                with: " ".to_owned(),
            });
        }
    }

    /// The direction of the line at hand. What stands before the first directive can only be comments, and belongs to
    /// the up script.
    fn side(&mut self) -> &mut Side {
        match self.part {
            Part::Foreword | Part::Up => &mut self.up,
            Part::Down => &mut self.down,
        }
    }

    fn keep_until(&mut self, end: usize) {
        let range = self.kept_from..end;
        if !range.is_empty() {
            self.side().keep.push(range);
        }
    }

    fn finish(mut self) -> Result<Sides, Fault> {
        if let Some(block) = &self.block {
            return Err(Fault {
                offset: block.start,
                message: "there is no StatementEnd for this StatementBegin. Add it".to_owned(),
            });
        }
        if self.part == Part::Foreword {
            return Err(Fault {
                offset: 0,
                message: "there is no `-- +goose Up`. Add it above what is to be run".to_owned(),
            });
        }
        self.keep_until(self.text.len());
        Ok(Sides {
            up: self.up,
            down: (self.part == Part::Down).then_some(self.down),
            no_transaction: self.no_transaction,
            unset: self.unset,
        })
    }
}

/// What a line with the marker in a comment says.
fn directive(line: &str) -> Result<Directive, String> {
    if line.starts_with([' ', '\t']) {
        return Err(
            "a `-- +goose` comment must stand at the start of its line. Remove the space before it"
                .to_owned(),
        );
    }
    let words = line.replace("--", "").replacen(super::MARKER, "", 1);
    let words = words.trim();
    let known = DIRECTIVES
        .iter()
        .find(|(spelling, _)| spelling.eq_ignore_ascii_case(words));
    known.map(|(_, directive)| *directive).ok_or_else(|| {
        let names = DIRECTIVES.map(|(spelling, _)| spelling).join(", ");
        format!(
            "goose takes every comment with `+goose` for one of its own, and this is none: it can be {names}. Correct it, \
             or write the comment in other words"
        )
    })
}

/// Whether goose takes the end of a line for the end of a statement: its last word before a comment has a semicolon.
fn ends_statement(line: &str) -> bool {
    if memchr::memchr(b';', line.as_bytes()).is_none() {
        return false;
    }
    let words = line.split_whitespace();
    words
        .take_while(|word| !word.starts_with("--"))
        .last()
        .is_some_and(|word| word.ends_with(';'))
}
