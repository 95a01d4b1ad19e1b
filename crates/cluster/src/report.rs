//! How something went wrong, ready to be shown: what happened, details, the state of things, what to do.

/// What an end means for whoever started the deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The values, the cluster's configuration or a missing right: not worth another try as it is.
    Configuration,
    /// The migration itself failed.
    MigrationFailed,
    /// The migration found history and directory in contradiction.
    HistoryConflict,
    /// A safety rule forbids it.
    Refused,
    /// The new version does not come up.
    NotReady,
    /// Worth another try.
    Temporary,
    /// It was told to stop.
    Interrupted,
}

/// Why a deploy ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it means.
    pub outcome: Outcome,
    /// Stable word.
    pub code: &'static str,
    /// What happened, in one sentence without a full stop.
    pub message: String,
    /// More, as label and text.
    pub details: Vec<(&'static str, String)>,
    /// The state that things are in now.
    pub state: Option<String>,
    /// What to do, the most important last.
    pub advice: Vec<String>,
}

impl Report {
    /// With a sentence only.
    pub(crate) fn new(outcome: Outcome, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            outcome,
            code,
            message: message.into(),
            details: Vec::new(),
            state: None,
            advice: Vec::new(),
        }
    }

    pub(crate) fn detail(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.details.push((label, text.into()));
        self
    }

    pub(crate) fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }
}
