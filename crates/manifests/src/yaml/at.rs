//! A place in a tree, written `deployments.web.migrations.steps[0].name`.

use std::fmt;

/// One step downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Into a map.
    Key(&'a str),
    /// Into a list, counted from 0.
    Index(usize),
}

/// The way from the root of a tree to one of its nodes. A chain of borrowed steps, so that it costs nothing
/// while nothing is wrong.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    last: Option<(&'a At<'a>, Step<'a>)>,
}

impl<'a> At<'a> {
    /// The root.
    pub const ROOT: At<'static> = At { last: None };

    /// The value of a key below.
    pub fn key(&'a self, key: &'a str) -> At<'a> {
        At {
            last: Some((self, Step::Key(key))),
        }
    }

    /// An item below, counted from 0.
    pub fn index(&'a self, index: usize) -> At<'a> {
        At {
            last: Some((self, Step::Index(index))),
        }
    }

    /// The steps from the root.
    pub fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut here = *self;
        while let Some((parent, step)) = here.last {
            steps.push(step);
            here = *parent;
        }
        steps.reverse();
        steps
    }

    /// How many steps it is from the root.
    pub fn depth(&self) -> usize {
        let (mut depth, mut here) = (0, *self);
        while let Some((parent, _)) = here.last {
            depth += 1;
            here = *parent;
        }
        depth
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_steps(formatter, &self.steps())
    }
}

/// Writes steps with dots and brackets; keys that hold dots or blanks are quoted.
pub(crate) fn write_steps(to: &mut impl fmt::Write, steps: &[Step<'_>]) -> fmt::Result {
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Index(index) => write!(to, "[{index}]")?,
            Step::Key(key) => {
                let plain = !key.is_empty()
                    && key
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '<' | '>'));
                match (plain, number) {
                    (true, 0) => to.write_str(key)?,
                    (true, _) => write!(to, ".{key}")?,
                    (false, _) => write!(to, "[{key:?}]")?,
                }
            }
        }
    }
    Ok(())
}
