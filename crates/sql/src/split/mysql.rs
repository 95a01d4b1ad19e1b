//! Where a `;` does not end a MySQL or MariaDB statement while no `DELIMITER` is set: in the
//! compound bodies of stored programs, and in MariaDB's compound statements outside of them.
//!
//! Nearly all keywords here are also functions or possible names (`IF(…)`, `REPEAT(…)`, a column
//! `end`), so blocks are opened and closed only where a statement of the body can begin. MariaDB's
//! Oracle mode (`AS` before the body, packages, `WHILE … LOOP`) is understood too. Bodies in other
//! languages between `$$` (MySQL 9) are not; they need a `DELIMITER`.

use crate::keyword::Keyword;
use crate::lexer::TokenKind;

#[derive(Debug, Default)]
pub(super) struct MysqlScan {
    state: State,
    /// Open parentheses; words in them neither open nor close a block.
    parentheses: u32,
    /// Blocks that an `END` will close, innermost last.
    blocks: Vec<Block>,
    /// `CASE` expressions that an `END` will close first.
    case_expressions: u32,
    previous: Previous,
    /// A statement of the body can begin here.
    at_statement: bool,
    /// In `DECLARE … HANDLER FOR …`, before the statement of the handler.
    in_handler: bool,
    /// In the condition of `UNTIL`, which `END REPEAT` ends.
    in_until: bool,
    /// `RETURNS` was seen, so this is not Oracle mode.
    returns: bool,
    /// In a package, a routine has begun whose `BEGIN` is still to come.
    package_routine: PackageRoutine,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    /// After a `BEGIN` that only `NOT ATOMIC` makes a compound statement.
    Begin,
    /// `CREATE` or `ALTER`, and what may stand before the kind of object.
    Create,
    /// After `PROCEDURE` or `FUNCTION`, before its name.
    RoutineName,
    /// Parameters, type and characteristics of a procedure or function.
    RoutineHeader,
    /// After `AS` there: a body in another language, or Oracle mode.
    RoutineAs,
    /// Oracle mode: declarations between `AS` and `BEGIN`.
    Declarations,
    /// A trigger before `FOR EACH ROW`.
    TriggerHeader,
    /// An event before `DO`.
    EventHeader,
    Body,
    /// The next `;` ends the statement.
    Simple,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    /// `BEGIN`, `IF`, `CASE`, `LOOP`, `WHILE`, `REPEAT` or `FOR`.
    Ordinary,
    Package,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum PackageRoutine {
    #[default]
    None,
    Header,
    Declarations,
}

/// The token before, as far as the meaning of the next one depends on it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Previous {
    #[default]
    Other,
    /// What follows is a name or type even if it looks like a keyword.
    NameFollows,
    /// The same, and a statement of the body can begin after that name.
    NameThenStatement,
    /// `CHARACTER` or `CHAR`, after which `SET` is no statement.
    Character,
    Each,
    Begin,
    End,
    Declare,
    Handler,
    /// A word that could be a label.
    Label,
}

impl MysqlScan {
    pub(super) fn inside(&self) -> bool {
        !self.blocks.is_empty() || self.state == State::Declarations
    }

    /// Takes the next token that is no comment. A `;` comes here only if `inside`.
    pub(super) fn token(&mut self, kind: TokenKind, text: &[u8]) {
        if self.state == State::Simple {
            return;
        }
        let previous = std::mem::take(&mut self.previous);
        let at_statement = std::mem::take(&mut self.at_statement);
        match (kind, previous) {
            // What is in a conditional comment is part of the statement.
            (TokenKind::ConditionalOpen | TokenKind::ConditionalClose, _) => {
                self.previous = previous;
                self.at_statement = at_statement;
            }
            (TokenKind::Symbol, _) => self.symbol(text, previous, at_statement),
            (_, Previous::NameFollows) => self.name(),
            (_, Previous::NameThenStatement) => self.at_statement = true,
            (TokenKind::Word, _) => {
                let keyword = Keyword::new(text);
                self.word(keyword.as_str(), previous, at_statement);
            }
            _ => {
                self.name();
                if at_statement && kind == TokenKind::QuotedName {
                    self.previous = Previous::Label;
                }
            }
        }
    }

    /// A name, number or literal.
    fn name(&mut self) {
        self.state = match std::mem::take(&mut self.state) {
            State::RoutineName => State::RoutineHeader,
            State::RoutineAs | State::Start => State::Simple,
            state => state,
        };
    }

    fn symbol(&mut self, text: &[u8], previous: Previous, at_statement: bool) {
        match text {
            b"(" => self.parentheses += 1,
            b")" => self.parentheses = self.parentheses.saturating_sub(1),
            b"." | b"@" => self.previous = Previous::NameFollows,
            b"=" if self.state == State::Create => self.previous = Previous::NameFollows,
            b":" if previous == Previous::Label => self.at_statement = true,
            // Oracle mode: <<label>>
            b"<" if at_statement || previous == Previous::NameThenStatement => {
                self.previous = Previous::NameThenStatement;
            }
            b">" => self.at_statement = at_statement,
            b";" => self.end_of_inner_statement(),
            _ => {}
        }
        if self.state == State::Start {
            self.state = State::Simple;
        }
    }

    fn end_of_inner_statement(&mut self) {
        self.at_statement = true;
        self.parentheses = 0;
        self.case_expressions = 0;
        self.in_handler = false;
        self.in_until = false;
        if self.package_routine == PackageRoutine::Header {
            self.package_routine = PackageRoutine::None;
        }
    }

    fn word(&mut self, word: &str, previous: Previous, at_statement: bool) {
        if self.parentheses > 0 {
            return;
        }
        match self.state {
            State::Start => self.first_word(word),
            State::Begin => {
                self.state = State::Simple;
                if word == "NOT" {
                    self.state = State::Body;
                    self.open(true);
                    self.previous = Previous::Begin;
                }
            }
            State::Create => self.create_word(word),
            State::RoutineName => match word {
                "IF" | "NOT" | "EXISTS" => {}
                _ => self.state = State::RoutineHeader,
            },
            State::RoutineHeader => self.header_word(word, previous),
            State::RoutineAs if word.starts_with('$') || word.is_empty() => {
                self.state = State::Simple;
            }
            State::RoutineAs | State::Declarations => {
                let first = self.state == State::RoutineAs;
                self.state = State::Declarations;
                if word == "BEGIN" && (first || at_statement) {
                    self.state = State::Body;
                    self.open(true);
                }
            }
            State::TriggerHeader => match (previous, word) {
                (_, "EACH") => self.previous = Previous::Each,
                (Previous::Each, "ROW") => {
                    self.state = State::Body;
                    self.at_statement = true;
                }
                _ => {}
            },
            State::EventHeader => {
                if word == "DO" {
                    self.state = State::Body;
                    self.at_statement = true;
                }
            }
            State::Body => self.body_word(word, previous, at_statement),
            State::Simple => {}
        }
    }

    fn first_word(&mut self, word: &str) {
        match word {
            "CREATE" | "ALTER" => self.state = State::Create,
            "BEGIN" => self.state = State::Begin,
            "IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" | "FOR" => {
                self.state = State::Body;
                self.body_word(word, Previous::Other, true);
            }
            _ => self.state = State::Simple,
        }
    }

    fn create_word(&mut self, word: &str) {
        match word {
            "OR" | "REPLACE" | "AGGREGATE" | "DEFINER" | "CURRENT_USER" | "CURRENT_ROLE" => {}
            "PROCEDURE" | "FUNCTION" => self.state = State::RoutineName,
            "TRIGGER" => self.state = State::TriggerHeader,
            "EVENT" => self.state = State::EventHeader,
            "PACKAGE" => {
                self.state = State::Body;
                self.blocks.push(Block::Package);
            }
            _ => self.state = State::Simple,
        }
    }

    /// Between the name of a routine and its body.
    fn header_word(&mut self, word: &str, previous: Previous) {
        match word {
            "RETURNS" => {
                self.returns = true;
                self.previous = Previous::NameFollows;
            }
            // Oracle mode gives the type after RETURN; otherwise this is the body.
            "RETURN" if !self.returns => self.previous = Previous::NameFollows,
            "AS" | "IS" if !self.returns => self.state = State::RoutineAs,
            "BEGIN" | "IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" | "FOR" => {
                self.state = State::Body;
                self.body_word(word, Previous::Other, true);
            }
            "CHARACTER" | "CHAR" => self.previous = Previous::Character,
            "SET" if previous == Previous::Character => {}
            "AS" | "IS" | "RETURN" | "SONAME" => self.state = State::Simple,
            _ if is_statement_verb(word) => self.state = State::Simple,
            // Characteristics, types, labels.
            _ => {}
        }
    }

    fn body_word(&mut self, word: &str, previous: Previous, at_statement: bool) {
        let can_begin = at_statement || self.in_handler;
        match word {
            "END" if self.case_expressions > 0 => self.case_expressions -= 1,
            "END" if at_statement || self.in_until => {
                self.blocks.pop();
                self.in_until = false;
                self.previous = Previous::End;
            }
            "IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" | "FOR" if previous == Previous::End => {}
            "FOR" if previous == Previous::Handler => {}
            "BEGIN" => self.begin(can_begin),
            "NOT" | "ATOMIC" if previous == Previous::Begin => {
                self.at_statement = true;
                self.previous = Previous::Begin;
            }
            "LOOP" | "REPEAT" if can_begin => self.open(true),
            "IF" | "CASE" | "WHILE" | "FOR" if can_begin => self.open(false),
            "CASE" => self.case_expressions += 1,
            // Oracle mode: WHILE … LOOP, FOR … LOOP.
            "LOOP" | "THEN" | "ELSE" => self.at_statement = self.case_expressions == 0,
            "DO" if !at_statement => self.at_statement = self.case_expressions == 0,
            "UNTIL" if at_statement => self.in_until = true,
            "DECLARE" if at_statement => self.previous = Previous::Declare,
            "CONTINUE" | "EXIT" | "UNDO" if previous == Previous::Declare => {
                self.previous = Previous::Declare;
            }
            "HANDLER" if previous == Previous::Declare => {
                self.in_handler = true;
                self.previous = Previous::Handler;
            }
            "FOLLOWS" | "PRECEDES" if at_statement && self.blocks.is_empty() => {
                self.previous = Previous::NameThenStatement;
            }
            "AS" | "IS" | "PROCEDURE" | "FUNCTION" if self.in_package() => self.package_word(word),
            _ => {
                if is_statement_verb(word) {
                    self.in_handler = false;
                }
                if at_statement {
                    self.previous = Previous::Label;
                }
            }
        }
    }

    fn begin(&mut self, can_begin: bool) {
        if self.in_package() && self.package_routine == PackageRoutine::None {
            // The initialization section of a package body, closed by the package's own END.
            self.at_statement = true;
        } else if can_begin || self.in_package() {
            self.package_routine = PackageRoutine::None;
            self.open(true);
            self.previous = Previous::Begin;
        }
    }

    fn package_word(&mut self, word: &str) {
        self.package_routine = match (&self.package_routine, word) {
            (_, "PROCEDURE" | "FUNCTION") => PackageRoutine::Header,
            (PackageRoutine::Header, _) => PackageRoutine::Declarations,
            _ => PackageRoutine::None,
        };
        self.at_statement = matches!(word, "AS" | "IS");
    }

    fn in_package(&self) -> bool {
        self.blocks.last() == Some(&Block::Package)
    }

    fn open(&mut self, at_statement: bool) {
        self.blocks.push(Block::Ordinary);
        self.in_handler = false;
        self.at_statement = at_statement;
    }
}

/// Words that begin a statement which is not compound.
fn is_statement_verb(word: &str) -> bool {
    matches!(
        word,
        "ALTER"
            | "ANALYZE"
            | "CALL"
            | "CLOSE"
            | "COMMIT"
            | "CREATE"
            | "DEALLOCATE"
            | "DELETE"
            | "DO"
            | "DROP"
            | "EXECUTE"
            | "FETCH"
            | "GET"
            | "GRANT"
            | "INSERT"
            | "ITERATE"
            | "LEAVE"
            | "OPEN"
            | "PREPARE"
            | "RENAME"
            | "REPLACE"
            | "RESIGNAL"
            | "RETURN"
            | "REVOKE"
            | "ROLLBACK"
            | "SELECT"
            | "SET"
            | "SHOW"
            | "SIGNAL"
            | "START"
            | "TRUNCATE"
            | "UPDATE"
            | "VALUES"
            | "WITH"
    )
}
