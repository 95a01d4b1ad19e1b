use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-behind-contract",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: EVERY,
    needs: Needs::Directory,
    summary: "A file behind a contract migration that cannot run in the same deployment",
    why: "A contract migration that comes with what it waits for is held until that has been rolled out, and `up` stops \
          before it. What stands behind it cannot run either, and since the release needs it `up` ends with exit code 5. \
          Make the contract migration the last file, or leave it to the next release. Found with `--base` among the files \
          that are new, and with a database among those that are pending.",
    examples: &[],
    peers: Peers::NONE,
    check: Check::Built,
};
