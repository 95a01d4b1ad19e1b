use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-edited-file",
    severity: Severity::Error,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite],
    needs: Needs::Directory,
    summary: "A file that the branch compared with has, changed or deleted",
    why: "What is merged may be applied somewhere: on the database of a colleague, on staging, in production. There the change \
          never arrives, and the next `up` stops with a conflict, because the recorded checksum is not that of the file. \
          Restore the file and write a new migration. Changes of comments and layout are no finding. Found with `--base`.",
    examples: &[],
    peers: Peers::NONE,
    check: Check::Built,
};
