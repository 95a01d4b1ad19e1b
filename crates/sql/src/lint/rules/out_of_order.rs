use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-out-of-order",
    severity: Severity::Error,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite],
    needs: Needs::Directory,
    summary: "A new file that is older than the newest of the branch compared with",
    why: "Where the newer one is applied already, `up` refuses to run what comes before it, and with `--allow-out-of-order` \
          databases get their migrations in different orders. It happens when a branch was made before another one was \
          merged. Give the file a newer version. Found with `--base`.",
    examples: &[],
    peers: Peers::NONE,
    check: Check::Built,
};
