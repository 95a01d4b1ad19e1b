//! The patterns of the schema: for each, a function that decides the same, and words for people.

/// A pattern of the schema.
pub(super) struct Pattern {
    /// The regular expression (ECMA and RE2).
    pub(super) expression: &'static str,
    /// The same decision.
    pub(super) accepts: fn(&str) -> bool,
    /// What a text must be.
    pub(super) expected: &'static str,
}

/// RFC 1123 label: names of deployments, containers, volumes, steps.
pub(super) const LABEL: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
/// RFC 1035 label: names of Services.
pub(super) const SERVICE: &str = "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$";
/// RFC 1123 subdomain: names of most objects. Its length, 253, is a rule of its own.
pub(super) const SUBDOMAIN: &str =
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// Keys of Secrets and ConfigMaps.
pub(super) const CONFIG_KEY: &str = "^\\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,251}$";
/// IANA service names: names of a container's ports.
pub(super) const PORT: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";
/// Kubernetes' quantities.
pub(super) const QUANTITY: &str =
    "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$";

const DIGEST: &str = "^sha256:[0-9a-f]{64}$";
const ENVIRONMENT: &str = "^[-._a-zA-Z][-._a-zA-Z0-9]*$";
const DURATION: &str = "^([0-9]{1,9}|([0-9]{1,5}h)?([0-9]{1,7}m)?([0-9]{1,9}s)?)$";

/// All patterns of the schema.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern {
        expression: LABEL,
        accepts: |text| is_label(text) && text.len() <= 63,
        expected: "a name of at most 63 lower-case letters, digits and dashes that begins and ends with a letter \
                   or digit",
    },
    Pattern {
        expression: SERVICE,
        accepts: |text| {
            is_label(text) && text.len() <= 63 && text.starts_with(|c: char| c.is_ascii_lowercase())
        },
        expected: "a name of at most 63 lower-case letters, digits and dashes that begins with a letter and ends \
                   with a letter or digit",
    },
    Pattern {
        expression: SUBDOMAIN,
        accepts: |text| text.split('.').all(is_label),
        expected: "a name of lower-case letters, digits, dashes and dots; each part between dots begins and ends \
                   with a letter or digit",
    },
    Pattern {
        expression: CONFIG_KEY,
        accepts: is_config_key,
        expected: "a key of at most 253 letters, digits, dashes, dots and underscores that does not begin with two \
                   dots",
    },
    Pattern {
        expression: PORT,
        accepts: |text| {
            text.split('-').all(|part| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            })
        },
        expected: "a port name of lower-case letters and digits, with single dashes between them",
    },
    Pattern {
        expression: QUANTITY,
        accepts: is_quantity,
        expected: "a quantity: a number with or without a unit (`500m`, `2` for processors; `128Mi`, `1G` for \
                   bytes)",
    },
    Pattern {
        expression: DIGEST,
        accepts: |text| {
            text.strip_prefix("sha256:").is_some_and(|hex| {
                hex.len() == 64
                    && hex
                        .bytes()
                        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            })
        },
        expected: "a digest: `sha256:` and 64 hexadecimal digits",
    },
    Pattern {
        expression: ENVIRONMENT,
        accepts: |text| {
            !text.is_empty()
                && !text.starts_with(|c: char| c.is_ascii_digit())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        },
        expected: "the name of a variable: letters, digits, `_`, `-` and `.`, no digit first",
    },
    Pattern {
        expression: DURATION,
        accepts: is_duration,
        expected: "a duration: seconds (`300`) or units from the largest to the smallest (`5m`, `1h30m`, `90s`)",
    },
];

/// The pattern with an expression.
pub(super) fn find(expression: &str) -> Option<&'static Pattern> {
    PATTERNS
        .iter()
        .find(|pattern| pattern.expression == expression)
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_config_key(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let behind_dot = text.strip_prefix('.').unwrap_or(text);
    (1..=252).contains(&behind_dot.len())
        && !behind_dot.starts_with('.')
        && behind_dot.bytes().all(allowed)
}

fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, unit) = unsigned.split_at(number);
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || number.len() - digits > 1 {
        return false;
    }
    match unit {
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" => true,
        "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => true,
        exponent => exponent.strip_prefix(['e', 'E']).is_some_and(|exponent| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }),
    }
}

fn is_duration(text: &str) -> bool {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if digits(text, 9) {
        return true;
    }
    let mut rest = text;
    for (unit, most) in [('h', 5), ('m', 7), ('s', 9)] {
        if let Some((number, after)) = rest.split_once(unit) {
            if !digits(number, most) {
                return false;
            }
            rest = after;
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The expressions of the published schema.
    fn expressions(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                if let Some(serde_json::Value::String(text)) = map.get("pattern") {
                    found.push(text.clone());
                }
                map.values().for_each(|value| expressions(value, found));
            }
            serde_json::Value::Array(items) => {
                items.iter().for_each(|value| expressions(value, found));
            }
            _ => {}
        }
    }

    #[test]
    fn every_pattern_of_the_schema_is_known_here() {
        let mut found = Vec::new();
        expressions(&super::super::schema(), &mut found);
        assert!(found.len() > 10);
        for expression in found {
            assert!(find(&expression).is_some(), "add {expression} to PATTERNS");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_an_expression_makes_is_accepted(number in 0..PATTERNS.len(), seed in any::<[u8; 32]>()) {
            use proptest::{strategy::ValueTree, string::string_regex, test_runner::{Config, RngAlgorithm, TestRng, TestRunner}};
            let pattern = &PATTERNS[number];
            let inner = pattern.expression.trim_start_matches('^').trim_end_matches('$');
            let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
            let mut runner = TestRunner::new_with_rng(Config::default(), random);
            for _ in 0..20 {
                let text = string_regex(inner).unwrap().new_tree(&mut runner).unwrap().current();
                prop_assert!((pattern.accepts)(&text), "{} makes {text:?}", pattern.expression);
            }
        }
    }

    #[test]
    fn what_an_expression_does_not_make_is_refused() {
        for (expression, texts) in [
            (LABEL, &["", "A", "-a", "a-", "a_b", "a.b", "a b"][..]),
            (SERVICE, &["1a", "", "a-", "A"]),
            (SUBDOMAIN, &["", "a..b", ".a", "a.", "a.-b", "A"]),
            (CONFIG_KEY, &["", ".", "..", "..a", "a/b", "a b", "ä"]),
            (PORT, &["", "-a", "a--b", "a-", "A"]),
            (
                QUANTITY,
                &[
                    "", "128mb", "1 Gi", "Gi", "1GB", ".", "1.2.3", "1e", "--1", "0x1",
                ],
            ),
            (DIGEST, &["sha256:", "sha256:abc", "abc"]),
            (ENVIRONMENT, &["", "1A", "A B", "A=B"]),
            (DURATION, &["m", "5 m", "5m1h", "1.5h", "-1", "1d", "5min"]),
        ] {
            let pattern = find(expression).unwrap();
            for text in texts {
                assert!(!(pattern.accepts)(text), "{expression} and {text:?}");
            }
        }
    }
}
