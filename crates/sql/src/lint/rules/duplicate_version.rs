use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-duplicate-version",
    severity: Severity::Error,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite],
    needs: Needs::Directory,
    summary: "A version that another migration has on the branch that is compared with",
    why: "Two branches have numbered their next migration alike. Both files have different names, so git merges them without a \
          word, and the directory cannot be read afterwards: one of the two must get a newer version. Give it to the one that \
          was not merged yet, since the other one may be applied somewhere. Found with `--base`; in one directory two files of one version \
          are an error that no rule can allow.",
    examples: &[],
    peers: Peers::NONE,
    check: Check::Built,
};
